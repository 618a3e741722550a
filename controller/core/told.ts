// What a checked story tells: chapters, what somebody did, and lines with what each was checked with.
import type { EnvironmentId } from "./environment.ts";

/** One look at the world. */
export interface Evidence {
  /** The call or URL, as a person would type it: `aws ecs describe-services --cluster prod --services api`. */
  readonly by: string;
  /** What came back, in one line. */
  readonly found: string;
}

export type Told =
  | { readonly kind: "chapter"; readonly title: string; readonly text: string }
  /** Somebody did something: a push, a call by hand. */
  | { readonly kind: "deed"; readonly text: string; readonly by: string }
  /** A sentence that is being checked now; its verdict follows. */
  | { readonly kind: "claim"; readonly sentence: string }
  | {
      readonly kind: "true";
      readonly sentence: string;
      readonly evidence: readonly Evidence[];
      readonly tookMs: number;
    }
  | {
      readonly kind: "untrue";
      readonly sentence: string;
      readonly expected: string;
      /** Why it was not waited for any longer. */
      readonly why: string;
      readonly evidence: readonly Evidence[];
      readonly tookMs: number;
      /** Whose status may help. */
      readonly environment?: EnvironmentId;
    }
  /** Every line came true. */
  | { readonly kind: "end"; readonly lines: number; readonly tookMs: number };
