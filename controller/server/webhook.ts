// POST /webhook: a Git server says that something was pushed. It carries no content that acts; it only says "look now".
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { Context } from "hono";
import { answer, problem } from "./problem.ts";

const BODY_BYTES = 1024 * 1024;
/** Signatures remembered, so that a recorded delivery does not make us look again and again. */
const REMEMBERED = 1000;

/**
 * Checks `X-Hub-Signature-256` (HMAC-SHA256 of the raw body) against each secret.
 * https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
 */
export function createWebhook(secrets: readonly string[], look: () => void): (context: Context) => Promise<Response> {
  const seen = new Set<string>();
  return async (context) => {
    const body = await readUpTo(context.req.raw.body, BODY_BYTES);
    if (body === undefined) {
      return answer(context, problem(413, "body-too-large", "The delivery is over 1 MiB.", "Send push events only."));
    }
    const signature = context.req.header("x-hub-signature-256") ?? "";
    if (!secrets.some((secret) => isSigned(body, signature, secret))) {
      return answer(
        context,
        problem(
          401,
          "signature",
          "The signature fits no secret.",
          "Give the Git server the value of LOCKSTEP_WEBHOOK_SECRET.",
        ),
      );
    }
    if (!seen.has(signature)) {
      const oldest = seen.values().next().value;
      if (seen.size >= REMEMBERED && oldest !== undefined) seen.delete(oldest);
      seen.add(signature);
      look();
    }
    return context.json({ schema: "lockstep/v1", accepted: true }, 202);
  };
}

/** Both sides are hashed once more, so that the comparison takes the same time for any length. */
function isSigned(body: Uint8Array, signature: string, secret: string): boolean {
  const expected = `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
  const [given, wanted] = [signature, expected].map((text) => createHash("sha256").update(text).digest());
  return given !== undefined && wanted !== undefined && timingSafeEqual(given, wanted);
}

/** Undefined as soon as more than `limit` bytes come. */
async function readUpTo(stream: ReadableStream<Uint8Array> | null, limit: number): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  let size = 0;
  if (stream !== null) {
    const reader = stream.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      size += value.length;
      if (size > limit) {
        await reader.cancel();
        return undefined;
      }
      parts.push(value);
    }
  }
  return Buffer.concat(parts);
}
