// Starts the sandbox from the command line; the only file of it that touches `process` (child processes aside).

import { HELP, type Options, readOptions, readyLine, readyText } from "./command.ts";
import { openSandbox } from "./open.ts";

const WRONG_USAGE = 64;

async function start(options: Options): Promise<void> {
  const onError = (error: unknown): void => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  };
  const { edge, close } = await openSandbox({ ...options, onError });
  const stop = (): void => {
    process.exitCode = 0;
    close().catch((error: unknown) => {
      onError(error);
      process.exitCode = 1;
    });
  };
  process.once("SIGTERM", stop).once("SIGINT", stop);
  const endpoints = await edge.endpoints();
  process.stdout.write(process.stdout.isTTY ? readyText(endpoints, options) : readyLine(endpoints, options));
}

function usage(error: unknown): undefined {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
  process.exitCode = WRONG_USAGE;
}

function optionsOf(argv: readonly string[]): Options | undefined {
  try {
    return readOptions(argv);
  } catch (error) {
    return usage(error);
  }
}

const options = optionsOf(process.argv.slice(2));
if (options?.help === true) process.stdout.write(HELP);
else if (options !== undefined) {
  start(options).catch((error: unknown) => {
    process.stderr.write(`The sandbox cannot start: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
}
