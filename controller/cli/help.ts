// The help texts, made of the command table so that they cannot disagree with it.
import type { Command } from "./row.ts";
import { GROUPS } from "./row.ts";
import { EXIT_MEANINGS } from "./exit.ts";
import type { Line, Style } from "../core/paint.ts";
import { muted, strong, table } from "./frame.ts";

const TITLE = "lockstep — what Git says is what runs: ECS, S3 and CloudFront";

/** Tables of the overview hold only ASCII, so that their widths are the same everywhere. */
const PLAIN: Style = { colour: false, unicode: true };

export function overview(commands: readonly Command[]): readonly Line[] {
  return [
    [strong(TITLE)],
    ...GROUPS.flatMap((group): readonly Line[] => [
      [],
      [strong(group)],
      ...table(
        commands.filter((command) => command.group === group).map(({ name, summary }) => [[name.padEnd(9)], [summary]]),
        PLAIN,
        "  ",
      ),
    ]),
    [],
    ["A release is a commit: change `sha` in environments/<env>.yaml, merge it, and it is what runs."],
    ["<env> is `prod`, or `shop/prod` where several applications have one."],
    [],
    ["Flags everywhere: --json --no-color --quiet -v --repo --url --yes --no-input --progress auto|live|lines|none"],
    [muted("lockstep <command> --help shows options and examples; lockstep help exit-codes the exit codes.")],
  ];
}

export async function commandHelp(command: Command, style: Style): Promise<readonly Line[]> {
  const options = Object.entries(command.options).map(([name, option]): readonly Line[] => {
    const short = option.short === undefined ? "" : `-${option.short}, `;
    const value = option.type === "string" ? " <value>" : "";
    return [[`${short}--${name}${value}`], [command.about[name] ?? ""]];
  });
  return [
    [strong(`lockstep ${command.name} ${command.usage}`.trim())],
    [command.summary],
    ...(options.length === 0 ? [] : [[], [strong("Options")], ...table(options, style, "  ")]),
    [],
    [strong("Examples")],
    ...command.examples.map((example): Line => [`  ${example}`]),
    ...(command.more === undefined ? [] : [[], ...(await command.more(style))]),
  ];
}

export function exitCodesHelp(): readonly Line[] {
  return [
    [strong("Exit codes")],
    ...table(
      EXIT_MEANINGS.map(([code, meaning]) => [[String(code).padStart(3)], [meaning]]),
      PLAIN,
      "  ",
    ),
  ];
}
