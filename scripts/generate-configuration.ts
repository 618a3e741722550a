// Writes docs/configuration.md from the table of environment variables.
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { variables } from "../controller/variables.ts";

const PAGE = new URL("../docs/configuration.md", import.meta.url);

/** The text that belongs into docs/configuration.md. */
export function configurationPage(): string {
  const rows = variables().map((row) => {
    const [value, secret] = [row.default, row.secret];
    const notes = [...(secret === true ? ["secret: its value is never shown"] : []), row.next].join("; ");
    return `| \`${row.name}\` | ${value === undefined ? "" : `\`${value}\``} | ${row.means} | ${notes} |`;
  });
  return `# Configuration of the controller

<!-- Written by scripts/generate-configuration.ts from controller/variables.ts: do not edit. -->

\`lockstep serve\` reads environment variables and says every one that cannot be used, all at once. Empty values count as
absent; relative paths are taken from the working directory.

| variable | default | meaning | how to write it |
|---|---|---|---|
${rows.join("\n")}

AWS credentials and region come from the SDK's own chain (environment variables, profile, task role, …); \`AWS_ENDPOINT_URL\`
is honoured. With one repository and no \`LOCKSTEP_CONFIG\`, all environments use those credentials.

The API asks for no login: it answers on the listen address only, to the names it knows, and takes nudges only with headers
that no page of another origin can send. Whoever opens it to a network puts a proxy with a login in front.
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeFile(PAGE, configurationPage());
