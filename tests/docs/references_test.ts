import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { exists, type Page, readPages } from "./pages.ts";

const pages = await readPages();

/** Parts of paths in prose that are not files: a placeholder (`lib/queue/<name>/`) or a version. */
const PLACEHOLDERS = [/</, /0008_/];

/** Lists paths in the repository's own folders. Expands `{a,b}` and cuts wildcards to their folder. */
function listPaths(text: string): string[] {
  const found = text.match(/(?<![\w./-])(?:tests|lib|deploy|docs|\.github|\.ci)\/[\w./{},*<>-]*/g);
  return (found ?? [])
    .filter((path) => !PLACEHOLDERS.some((pattern) => pattern.test(path)))
    .flatMap(expandBraces)
    .map((path) => path.replace(/[^/]*\*.*$/, "").replace(/[.,}]+$/, ""));
}

/** Expands `lib/{a,b}.ts` to `lib/a.ts` and `lib/b.ts`. */
function expandBraces(path: string): string[] {
  const [, before = "", list = "", after = ""] = /^([^{]*)\{([^{}]*)\}(.*)$/.exec(path) ?? [];
  if (list === "") return [path];
  return list.split(",").flatMap((part) => expandBraces(before + part + after));
}

/** Lists the targets of a page's links as paths in the repository. Omits addresses of the web. */
function listLinks({ path, text }: Page): { file: string; anchor: string }[] {
  const prose = text.replaceAll(/^```[\s\S]*?^```/gm, "");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = ""]) => {
    if (/^[a-z]+:/.test(target)) return [];
    const { pathname, hash } = new URL(target, `file:///${path}`);
    return [{ file: decodeURIComponent(pathname.slice(1)), anchor: hash.slice(1) }];
  });
}

/** Lists the anchors that GitHub creates for a page's headings. */
function listAnchors(text: string): string[] {
  const prose = text.replaceAll(/^```[\s\S]*?^```/gm, "");
  return [...prose.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = ""]) =>
    heading.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").trim().replaceAll(/\s/g, "-")
  );
}

for (const page of pages) {
  Deno.test(`${page.path} names only files that exist`, async () => {
    const missing: string[] = [];
    for (const path of new Set(listPaths(page.text))) if (!await exists(path)) missing.push(path);
    deepStrictEqual(missing, []);
  });

  Deno.test(`${page.path} links only to files and headings that exist`, async () => {
    for (const { file, anchor } of listLinks(page)) {
      ok(await exists(file), file);
      if (anchor === "") continue;
      const target = pages.find(({ path }) => path === file);
      ok(target && listAnchors(target.text).includes(anchor), `${file}#${anchor}`);
    }
  });
}

Deno.test("listPaths() finds each file when a path has braces, a wildcard or a full stop", () => {
  const text =
    "See `lib/{a,b}/c.ts`, tests/mask/*_test.ts and docs/settings.md. Not lib/queue/<name>/";
  deepStrictEqual(listPaths(text), ["lib/a/c.ts", "lib/b/c.ts", "tests/mask/", "docs/settings.md"]);
});

Deno.test("listAnchors() returns GitHub's anchors when a heading has punctuation", () => {
  deepStrictEqual(listAnchors("## `/healthz` and `/books`\n"), ["healthz-and-books"]);
  strictEqual(listAnchors("```sh\n# a comment\n```\n").length, 0);
});
