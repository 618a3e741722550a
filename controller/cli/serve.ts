// `lockstep serve [--observe]`: runs the controller in the foreground until it is told to stop.
import { readConfig } from "../config.ts";
import { count } from "../core/describe.ts";
import { variables } from "../variables.ts";
import type { Call } from "./call.ts";
import { only } from "./call.ts";
import { EXIT } from "./exit.ts";
import type { Line, Style } from "../core/paint.ts";
import { mark, muted, strong, table } from "./frame.ts";

export async function serve(call: Call): Promise<number> {
  const { io, options, style } = call;
  only(call, "word");
  const { config, problems } = readConfig(io.env, io.cwd);
  if (config === undefined) {
    call.complain([
      ...problems.flatMap(({ name, message, next }): readonly Line[] => [
        [mark("failed", name), ` ${message}`],
        [muted("  next: "), next],
      ]),
      [`${count(problems.length, "variable")} cannot be used; \`lockstep serve --help\` lists them all.`],
    ]);
    return EXIT.usage;
  }
  call.complain(config.warnings.map((warning) => [mark("waiting", warning)]));
  const observe = options.flag("observe");
  const running = await (
    await call.doors()
  ).startController({
    config,
    observe,
    version: io.version,
    output: io.stdout,
    colour: style.out.colour,
    unicode: style.out.unicode,
    signal: io.signal,
  });
  call.say([[strong("lockstep"), ` ${io.version} listens at ${running.address}${observe ? ", observing only" : ""}`]]);
  return running.closed;
}

/** The table of environment variables, for `serve --help`. */
export function variablesHelp(style: Style): readonly Line[] {
  return [
    [strong("Environment variables")],
    ...table(
      variables().map(({ name, means, ...row }): readonly Line[] => [
        [name],
        [means, muted("default" in row && row.default !== undefined ? ` (${row.default})` : "")],
      ]),
      style,
      "  ",
    ),
    [],
    [muted("AWS credentials and region come from the SDK's own chain; AWS_ENDPOINT_URL is honoured.")],
  ];
}
