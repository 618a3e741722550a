// The system's chance; every other one is seeded by a test.
import { randomBytes } from "node:crypto";
import type { Random } from "../ports.ts";

export const systemRandom: Random = (bytes) => randomBytes(bytes).toString("hex");
