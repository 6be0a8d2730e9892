import { deepStrictEqual, match, ok, strictEqual, throws } from "node:assert";
import config from "../../deno.json" with { type: "json" };
import { parseArguments, UsageError } from "../../lib/cli/command.ts";
import { commands } from "../../lib/cli/commands.ts";
import { keygen } from "../../lib/cli/keygen.ts";
import { explainFailure, main } from "../../lib/cli/main.ts";
import { SettingsError } from "../../lib/config/read_settings.ts";
import { settings } from "../../lib/config/settings.ts";
import { fakeIo, type FakeIoOptions } from "../support/fake_io.ts";

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(args: readonly string[], options?: FakeIoOptions): Promise<Ended> {
  const io = fakeIo(options);
  const code = await main(args, io);
  return { code, ...io.written };
}

for (const flag of ["--help", "-h", "help"]) {
  Deno.test(`main() lists every command and setting on stdout when asked for ${flag}`, async () => {
    const { code, out, err } = await run([flag]);
    deepStrictEqual([code, err], [0, ""]);
    for (const [name, { summary }] of Object.entries(commands)) {
      match(out, new RegExp(`^  ${name} +${summary}$`, "m"));
    }
    for (const name of Object.keys(settings)) match(out, new RegExp(`^  ${name}\\b`, "m"));
  });
}

Deno.test("main() shows help and says wrong usage when nothing is asked", async () => {
  const { code, out } = await run([]);
  strictEqual(code, 2);
  match(out, /^Commands:$/m);
});

for (const args of [["--version"], ["-V"], ["run", "--version"], ["mask", "--version"]]) {
  Deno.test(`main() prints the version when asked for ${args.join(" ")}`, async () => {
    deepStrictEqual(await run(args), { code: 0, out: `maskline ${config.version}\n`, err: "" });
  });
}

for (const name of Object.keys(commands)) {
  for (const flag of ["--help", "-h"]) {
    Deno.test(`main() shows usage and an example when asked for ${name} ${flag}`, async () => {
      const { code, out, err } = await run([name, flag]);
      deepStrictEqual([code, err], [0, ""]);
      ok(out.startsWith(`Usage: maskline ${name}`), out);
      // An example is indented by two and calls the command, whatever stands around it.
      match(out, new RegExp(`^  (?!--).*\\bmaskline ${name}\\b`, "m"));
    });
  }
}

Deno.test("main() shows a command's help though words are missing", async () => {
  const { code, out } = await run(["mask", "--help"]);
  strictEqual(code, 0);
  match(out, /^Usage: maskline mask FIELD /m);
});

const wrong: [args: string[], err: RegExp][] = [
  [["drein"], /^There is no such command, did you mean `maskline drain`\? See `maskline --help`$/],
  [["rnu"], /^There is no such command, did you mean `maskline run`\? See `maskline --help`$/],
  [["xyzzy"], /^There is no such command\. See `maskline --help`$/],
  [["explian"], /did you mean `maskline explain`\?/],
  [["203.0.113.7"], /^There is no such command/],
  [["__proto__"], /^There is no such command/],
  [["constructor"], /^There is no such command/],
  [["drain", "--jsno"], /^There is no such flag/],
  [["drain", "--jso"], /^There is no such flag, did you mean --json\?$/],
  [["check", "--offlin=yes"], /^There is no such flag, did you mean --offline\?$/],
  [["drain", "--__proto__"], /^There is no such flag$/],
  [["drain", "-x"], /^A flag is not known$/],
  [["drain", "--json=yes"], /^A flag lacks its value, or has one that it does not take$/],
  [["rejected", "list", "--limit"], /^A flag lacks its value/],
  [["rejected", "list", "--limit", "0"], /^--limit: wanted a whole number from 1 to 10000$/],
  [["rejected", "list", "--limit", "1.5"], /^--limit: wanted a whole number/],
  [["rejected", "lost"], /^Wanted: maskline rejected list, show, replay, discard$/],
  [["rejected"], /^Wanted: maskline rejected list\|show\|replay\|discard …$/],
  [["keygen", "k2"], /^Wanted: maskline keygen$/],
  [["explain", "203.0.113.7"], /^Wanted: maskline explain$/],
  [["mask"], /^Wanted: maskline mask FIELD /],
  [["mask", "ip", "203.0.113.7"], /^Wanted: maskline mask FIELD /],
];
for (const [args, message] of wrong) {
  Deno.test(`main() explains and says wrong usage when the line is ${args.join(" ")}`, async () => {
    const { code, out, err } = await run(args);
    deepStrictEqual([code, out], [2, ""]);
    match(err.trimEnd(), message);
    ok(!err.includes("203.0.113.7"), "a word that may be personal was repeated");
  });
}

for (const name of ["run", "drain"]) {
  Deno.test(`main() lists what ${name} lacks when nothing is set`, async () => {
    const { code, err } = await run([name]);
    strictEqual(code, 2);
    match(err, /^4 wrong settings:\n/);
    for (const setting of ["SQS_QUEUE_URL", "DATABASE_URL", "MASK_KEY", "VAULT_PUBLIC_KEY"]) {
      match(err, new RegExp(`^  ${setting}: is not set\\.`, "m"));
    }
  });
}

for (const args of [["migrate"], ["rejected", "list"]]) {
  Deno.test(`main() wants DATABASE_URL only when the line is ${args.join(" ")}`, async () => {
    const { code, err } = await run(args);
    strictEqual(code, 2);
    match(err, /^1 wrong setting:\n {2}DATABASE_URL: is not set\./);
  });
}

Deno.test("explainFailure() lists the problems when settings are wrong", () => {
  const io = fakeIo();
  strictEqual(explainFailure(new SettingsError(["A: one", "B: two"]), io), 2);
  strictEqual(io.written.err, "2 wrong settings:\n  A: one\n  B: two\n");
});

Deno.test("explainFailure() shows where and not what when the failure is a bug", () => {
  const io = fakeIo();
  const error = new TypeError("cannot read zq7\n    zq7", { cause: "zq7" });
  strictEqual(explainFailure(error, io), 1);
  match(io.written.err, /^Maskline failed with TypeError, which is a bug:\n +at .*main_test\.ts/);
  ok(!io.written.err.includes("zq7"));
});

Deno.test("explainFailure() repeats nothing when what was thrown is no error", () => {
  const io = fakeIo();
  strictEqual(explainFailure("zq7", io), 1);
  ok(!io.written.err.includes("zq7"));
});

Deno.test("parseArguments() does not repeat what it does not know", () => {
  throws(() => parseArguments(keygen, ["-zq7"]), (error) => {
    ok(error instanceof UsageError && !error.message.includes("zq7"));
    return true;
  });
});
