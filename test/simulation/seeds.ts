// Seeds that once broke an invariant, each with what it found; they stay in the suite for ever.
export const REGRESSIONS: readonly { readonly seed: string; readonly found: string }[] = [
  { seed: "5", found: "a release resumed after its tag was rebuilt proved other digests than those that ran" },
  { seed: "6", found: "a decision made on an old memory tried a failed fingerprint again" },
  { seed: "21", found: "a failed migration that had written nothing was rolled back, under a page that stayed" },
  { seed: "29", found: "a newer release superseded one whose migration still ran, and then waited for it for ever" },
  { seed: "33", found: "a started migration could not be settled because another artifact had been rebuilt" },
  { seed: "94", found: "a controller that had lost its release went on journaling it" },
  { seed: "119", found: "a controller with an older reading of Git released what the newer one had taken back" },
  { seed: "289", found: "a resumed release deployed bytes that its start did not name" },
  { seed: "313", found: "a rollback put old services back under a page that the last good release knew nothing of" },
  { seed: "434", found: "a release that went back went forward after a crash" },
  { seed: "1171", found: "a late answer about a migration that had passed meanwhile let it run again" },
  { seed: "1183", found: "a fault after its deadline failed a migration that was still running" },
];
