import { settingsHelp } from "../config/describe_settings.ts";
import type { Command } from "./command.ts";
import { commands } from "./commands.ts";
import { version } from "./version.ts";

/** What `maskline --help` prints. */
export function mainHelp(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length));
  const list = Object.entries(commands).map(([name, { summary }]) =>
    `  ${name.padEnd(width)}  ${summary}`
  );
  return `maskline ${version}
Moves events with personal data from a queue into Postgres, without the personal data.

Usage: maskline COMMAND [flags]      maskline COMMAND --help

Commands:
${list.join("\n")}

Settings (environment variables):
${settingsHelp()}

AWS settings are the SDK's own: AWS_REGION, AWS_ENDPOINT_URL_SQS, the default credential chain.
Exit status: 0 done, 1 failed, 2 wrong usage or settings.
`;
}

/** What `maskline COMMAND --help` prints. */
export function commandHelp(command: Command): string {
  return `Usage: maskline ${command.usage}\n\n${command.help.trim()}\n`;
}
