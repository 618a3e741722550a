// What the chapters of the story share.
import type { Told } from "../core/told.ts";
import type { Build } from "./builds.ts";
import type { World } from "./world.ts";

/** What later chapters need to know of earlier ones. */
export interface Plot {
  /** The build with which the environments began. */
  first: Build;
  /** The build that was promoted to prod. */
  second: Build;
  /** The commit that promoted it there. */
  promoted: string;
  /** The build that waited under the hold. */
  third: Build;
}

export type Chapter = (world: World, plot: Plot) => AsyncGenerator<Told>;
