// A contract: what AWS promises, as a call whose observation is compared; and where moto is known to say otherwise.
import type { Account } from "./account.ts";

export interface Contract {
  /** A true sentence about AWS. */
  readonly name: string;
  /** Makes its own resources, asks, and answers plain data. */
  readonly observe: (account: Account) => Promise<unknown>;
  /** What AWS answers. */
  readonly promised: unknown;
  /** Where moto says otherwise: what it says instead, and why AWS does not. */
  readonly moto?: Disagreement;
}

export interface Disagreement {
  readonly says: unknown;
  /** Where AWS's own behaviour is written down, and what in moto is behind its answer. */
  readonly evidence: string;
}
