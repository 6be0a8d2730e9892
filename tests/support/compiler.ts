/**
 * Finds the Deno that can compile on this machine: `DENO_COMPILER` if set, otherwise the one that runs
 * this. Compiling needs `denort`, a runtime that Deno downloads. Returns undefined if that fails.
 */
export async function findCompiler(): Promise<string | undefined> {
  const given = Deno.env.get("DENO_COMPILER");
  if (given && Deno.env.get("DENORT_BIN")) return given;
  const directory = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${directory}/empty.js`, "");
    await Deno.writeTextFile(`${directory}/deno.json`, "{}");
    const args = ["compile", "--quiet", "--output", `${directory}/empty`, "empty.js"];
    const { success } = await new Deno.Command(Deno.execPath(), {
      args,
      cwd: directory,
      stderr: "null",
      // A network that does not answer must not delay the tests.
      signal: AbortSignal.timeout(60_000),
    }).output();
    return success ? Deno.execPath() : undefined;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Runs the compiler. @throws {Error} it failed, with its output */
export async function compile(
  compiler: string | undefined,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd?: string,
): Promise<void> {
  if (!compiler) throw new Error("There is no compiler on this machine");
  const { success, stderr } = await new Deno.Command(compiler, {
    args: [...args],
    env: { DENO_TLS_CA_STORE: "system,mozilla", ...env },
    ...(cwd ? { cwd } : {}),
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}
