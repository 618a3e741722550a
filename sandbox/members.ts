// Reads the members of a JSON 1.1 input by type, refusing what the service's model would refuse.

import { AwsError } from "./api.ts";
import { isRecord } from "./wire.ts";

export type Input = Readonly<Record<string, unknown>>;

export function text(input: Input, name: string): string | undefined {
  const value = input[name] ?? undefined;
  if (value === undefined || typeof value === "string") return value;
  throw new AwsError("SerializationException", `${name}: expected a string`);
}

/** A string that must be there. Fault: InvalidParameterException. */
export function requiredText(input: Input, name: string): string {
  const value = text(input, name);
  if (value !== undefined && value !== "") return value;
  throw invalidParameter(name, "Member must not be null");
}

/** A whole number between two limits, or `otherwise`. Fault: InvalidParameterException. */
export function wholeNumber(
  input: Input,
  name: string,
  limits: { least: number; most: number; otherwise: number },
): number {
  const value = input[name] ?? undefined;
  if (value === undefined) return limits.otherwise;
  if (typeof value !== "number" || !Number.isInteger(value))
    throw new AwsError("SerializationException", `${name}: expected an integer`);
  if (value < limits.least)
    throw invalidParameter(name, `Member must have value greater than or equal to ${limits.least}`);
  if (value > limits.most) throw invalidParameter(name, `Member must have value less than or equal to ${limits.most}`);
  return value;
}

/** A list of structures; undefined when it is not there. */
export function records(input: Input, name: string): readonly Input[] | undefined {
  const value = input[name] ?? undefined;
  if (value === undefined) return undefined;
  if (Array.isArray(value) && value.every(isRecord)) return value;
  throw new AwsError("SerializationException", `${name}: expected a list of structures`);
}

/** A list of strings; undefined when it is not there. */
export function texts(input: Input, name: string): readonly string[] | undefined {
  const value = input[name] ?? undefined;
  if (value === undefined) return undefined;
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  throw new AwsError("SerializationException", `${name}: expected a list of strings`);
}

export function record(input: Input, name: string): Input | undefined {
  const value = input[name] ?? undefined;
  if (value === undefined || isRecord(value)) return value;
  throw new AwsError("SerializationException", `${name}: expected a structure`);
}

export function invalidParameter(name: string, rule: string): AwsError {
  return new AwsError(
    "InvalidParameterException",
    `Invalid parameter at '${name}' failed to satisfy constraint: '${rule}'`,
  );
}

export function notImitated(service: string, operation: string): AwsError {
  return new AwsError(
    "UnknownOperationException",
    `The sandbox does not imitate ${service} ${operation}; see sandbox/${service}.md`,
  );
}

/** One page of a list behind an opaque token that holds the position. Fault: InvalidParameterException. */
export function page<T>(
  items: readonly T[],
  token: string | undefined,
  size: number,
): { items: readonly T[]; nextToken?: string } {
  const from =
    token === undefined
      ? 0
      : Number(
          Buffer.from(token, "base64url")
            .toString("utf8")
            .replace(/^from:/, ""),
        );
  if (!Number.isInteger(from) || from < 0) throw invalidParameter("nextToken", "Invalid token");
  const until = from + size;
  const nextToken = until < items.length ? Buffer.from(`from:${until}`, "utf8").toString("base64url") : undefined;
  return { items: items.slice(from, until), ...(nextToken === undefined ? {} : { nextToken }) };
}
