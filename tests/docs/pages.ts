/** The root of the repository. */
export const root = new URL("../../", import.meta.url);

/** One page of the documentation. */
export interface Page {
  /** From the root, as in `docs/settings.md`. */
  readonly path: string;
  readonly text: string;
}

/** Reads one page. */
export async function readPage(path: string): Promise<Page> {
  return { path, text: await Deno.readTextFile(new URL(path, root)) };
}

/** Reads every Markdown page of the root, of `docs/` and of `.github/`. */
export async function readPages(): Promise<Page[]> {
  const paths: string[] = [];
  for (const folder of ["", "docs/", ".github/"]) {
    for await (const { name, isFile } of Deno.readDir(new URL(folder || ".", root))) {
      if (isFile && name.endsWith(".md")) paths.push(folder + name);
    }
  }
  return await Promise.all(paths.sort().map(readPage));
}

/** Checks whether a file or a folder exists. @param path from the root */
export async function exists(path: string): Promise<boolean> {
  return await Deno.stat(new URL(path, root)).then(() => true, () => false);
}
