// What differs between Git and live, as values that every view can show.
import type { Digest, MigrationName, ServiceName, WebName } from "./brand.ts";
import type { ServiceField } from "./step.ts";

export type Difference =
  | {
      readonly kind: "service";
      readonly service: ServiceName;
      readonly field: ServiceField;
      readonly live: string;
      readonly desired: string;
    }
  | { readonly kind: "migration"; readonly migration: MigrationName; readonly live: string; readonly desired: "passed" }
  | { readonly kind: "web"; readonly web: WebName; readonly live: string; readonly desired: Digest }
  | { readonly kind: "invalidation"; readonly web: WebName; readonly live: string; readonly desired: string }
  | { readonly kind: "health"; readonly live: string; readonly desired: Digest };
