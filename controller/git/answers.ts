// Files of a commit never change, so what was read for the same question is handed out again.
import type { ManifestFile } from "../ports.ts";

/** Answers of `folders` and `files` kept in memory; texts are shared between them. */
const ANSWERS_KEPT = 64;

type Files = readonly ManifestFile[];

/** Keeps the answers asked for last. */
export function createAnswers(): (key: string, work: () => Promise<Files>) => Promise<Files> {
  const answers = new Map<string, Files>();
  return async (key, work) => {
    const result = answers.get(key) ?? (await work());
    answers.delete(key);
    answers.set(key, result);
    for (const oldest of answers.keys()) {
      if (answers.size <= ANSWERS_KEPT) break;
      answers.delete(oldest);
    }
    return result;
  };
}
