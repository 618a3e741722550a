import { expect, test } from "vitest";
import { cancellation, cancelReason } from "../../controller/core/cancel.ts";

function aborted(reason: unknown): AbortSignal {
  const controller = new AbortController();
  controller.abort(reason);
  return controller.signal;
}

test.each(["superseded", "shutdown", "timeout", "fenced", "aborted"] as const)(
  "%s comes out as it went in",
  (reason) => {
    expect(cancelReason(aborted(cancellation(reason)))).toBe(reason);
  },
);

test("The first cause wins", () => {
  const controller = new AbortController();
  controller.abort(cancellation("superseded"));
  controller.abort(cancellation("shutdown"));
  expect(cancelReason(controller.signal)).toBe("superseded");
});

test("A signal of Node that timed out is a time-out", () => {
  expect(cancelReason(aborted(new DOMException("too late", "TimeoutError")))).toBe("timeout");
});

test.each([[new Error("anything")], ["a word"], [undefined]])("Whatever else aborts us is a shutdown: %s", (reason) => {
  expect(cancelReason(aborted(reason))).toBe("shutdown");
});
