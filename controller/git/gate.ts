// Lets at most so many through at once; the others wait in the order in which they came.

export function createGate(places: number): <Result>(work: () => Promise<Result>) => Promise<Result> {
  const waiting: (() => void)[] = [];
  let free = places;
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      // A place goes to the next in line, and is free only when nobody waits.
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}
