import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { fileURLToPath } from "node:url";
import { derivePermissions, toFlags } from "../../lib/config/permissions.ts";
import { readSettings } from "../../lib/config/read_settings.ts";
import { compile, findCompiler } from "../support/compiler.ts";
import { fakeSource } from "../support/fake_io.ts";
import { createLine, type Line } from "../support/line.ts";
import { runMaskline } from "../support/maskline.ts";
import { startQueueServer } from "../support/queue_server.ts";
import { sharedPostgres } from "../support/shared_postgres.ts";

const postgres = await sharedPostgres();
const compiler = await findCompiler();
const missing = compiler === undefined
  ? " (skipped: no denort for deno compile on this machine)"
  : "";
const options = { ignore: compiler === undefined };

const messages = (await Deno.readTextFile(new URL("messages.jsonl", import.meta.url)))
  .trim().split("\n");

/** Compiles the program for a line's hosts, and calls `work` with it and an empty folder. */
async function withBinary(
  work: (binary: string, line: Line, directory: string) => Promise<void>,
): Promise<void> {
  await using queues = await startQueueServer();
  await using line = await createLine({ postgres, queues });
  const directory = await Deno.makeTempDir({ prefix: "maskline-binary-" });
  const binary = `${directory}/maskline`;
  try {
    const script = fileURLToPath(new URL("../../deploy/compile.ts", import.meta.url));
    await compile(compiler, ["run", "--quiet", "-A", script, "--output", binary], line.env);
    await work(binary, line, directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Runs `check` as a container's user without a passwd entry, with no HOME or an empty one. */
async function checkWithoutHome(binary: string, line: Line, directory: string): Promise<void> {
  // Only the superuser may become another user.
  if (Deno.uid() !== 0) return;
  await Deno.chmod(directory, 0o755);
  const env = Object.entries(line.env).map(([name, value]) => `${name}=${value}`);
  for (const home of [[], ["HOME="]]) {
    const { stdout } = await new Deno.Command("setpriv", {
      args: ["--reuid=1000660000", "--clear-groups", "env", "-i", ...home, ...env, binary, "check"],
    }).output();
    match(new TextDecoder().decode(stdout), /^ok {4}queue$/m);
  }
}

Deno.test(
  `binary drains a queue, reaches no other host or file, and contains only the worker, when compiled for a line${missing}`,
  options,
  () =>
    withBinary(async (binary, line, directory) => {
      await line.queue.send(messages);
      const TMPDIR = `${directory}/temporary`;
      await Deno.mkdir(TMPDIR);
      const drained = await runMaskline(["drain", "--json"], {
        env: { ...line.env, TMPDIR },
        binary,
      });
      strictEqual(drained.code, 0, drained.err);
      strictEqual(JSON.parse(drained.out).committed, 99);
      // A code cache would be there. The binary would run it even if another user had written it.
      deepStrictEqual([...Deno.readDirSync(TMPDIR)], []);
      strictEqual((await runMaskline(["check"], { env: line.env, binary })).code, 0);
      await checkWithoutHome(binary, line, directory);

      const elsewhere = {
        ...line.env,
        DATABASE_URL: "postgres://postgres@192.0.2.1:5432/postgres",
      };
      const host = await runMaskline(["drain"], { env: elsewhere, binary });
      strictEqual(host.code, 2);
      match(host.err, /DATABASE_URL: this binary was not compiled for 192\.0\.2\.1:5432/);

      const otherQueue = { ...line.env, AWS_ENDPOINT_URL_SQS: "http://192.0.2.1:9324" };
      const queue = await runMaskline(["drain"], { env: otherQueue, binary });
      strictEqual(queue.code, 2);
      match(queue.err, /this binary was not compiled for 192\.0\.2\.1:9324/);

      const { MASK_KEY: _, ...keyless } = line.env;
      const fromFile = { ...keyless, MASK_KEY_FILE: "/etc/hostname" };
      const file = await runMaskline(["drain"], { env: fromFile, binary });
      strictEqual(file.code, 2);
      match(file.err, /MASK_KEY_FILE: cannot be read \(NotCapable\)/);

      const text = new TextDecoder("latin1").decode(await Deno.readFile(binary));
      ok(text.includes("maskline.ledger"));
      for (const foreign of ["PGlite", "fauxqs", "sampleMessages", "fast-check"]) {
        ok(!text.includes(foreign), `${foreign} is in the binary`);
      }
    }),
);

Deno.test(
  `toFlags() refuses other variables, files, writes, programs and hosts when a program is compiled with them${missing}`,
  options,
  async () => {
    const directory = await Deno.makeTempDir({ prefix: "maskline-probe-" });
    try {
      const attempts = {
        variable: `Deno.env.get("SOME_OTHER_SECRET")`,
        environment: `Deno.env.toObject()`,
        file: `Deno.readTextFileSync("/etc/hostname")`,
        write: `Deno.writeTextFileSync("${directory}/written", "")`,
        run: `new Deno.Command("true").outputSync()`,
        host: `await Deno.connect({ hostname: "192.0.2.1", port: 80 })`,
        ffi: `Deno.dlopen("libc.so.6", {})`,
      };
      const lines = Object.entries(attempts).map(([name, code]) =>
        `try { ${code}; console.log("${name} allowed"); } catch (error) { console.log("${name}", error.name); }`
      );
      await Deno.writeTextFile(`${directory}/probe.js`, lines.join("\n"));
      await Deno.writeTextFile(`${directory}/deno.json`, "{}");
      const values: Record<string, string> = {
        SQS_QUEUE_URL: "http://127.0.0.1:9324/000000000000/login-queue",
        DATABASE_URL: "postgres://127.0.0.1:5432/postgres",
        AWS_ACCESS_KEY_ID: "test",
      };
      const source = fakeSource(values);
      const flags = toFlags(derivePermissions(readSettings(source, []), source.get));
      const binary = `${directory}/probe`;
      await compile(
        compiler,
        ["compile", "--quiet", ...flags, "--output", binary, "probe.js"],
        {},
        directory,
      );
      const { stdout } = await new Deno.Command(binary, { env: { SOME_OTHER_SECRET: "x" } })
        .output();
      const expected = Object.keys(attempts).map((name) => `${name} NotCapable`).join("\n");
      strictEqual(new TextDecoder().decode(stdout).trim(), expected);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
);
