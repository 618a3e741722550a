// P8: how long a command takes from start to finish, as the build runs it, beside an empty Node and ecspresso.
import type { Result, Row } from "./row.ts";
export const startUp: Row = {
  id: "P8",
  measure: "",
  reference: "",
  target: "",
  run: (): Promise<Result> => Promise.reject(new Error("later")),
};
