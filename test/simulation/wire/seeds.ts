// Seeds of the wire tier that once broke an invariant, each with what it found; they stay in the suite for ever.
export const REGRESSIONS: readonly { readonly seed: string; readonly found: string }[] = [
  { seed: "42", found: "publishing deleted an asset while the CDN still showed the page that loads it" },
  { seed: "139", found: "a StopTask that was lost on its way left a migration running for ever" },
  { seed: "151", found: "after a release that wrote nothing, the way to a newer commit was taken page first" },
  { seed: "193", found: "a failed migration ran again in an open release that Git had replaced" },
];
