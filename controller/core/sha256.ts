// SHA-256 as hexadecimal digits: the one builtin the core leans on, deterministic and without effect.
import { createHash } from "node:crypto";

export function sha256(text: string | Uint8Array): string {
  return createHash("sha256").update(text).digest("hex");
}
