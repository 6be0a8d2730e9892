/** So many bodies for a fake queue, each another one. */
export function bodies(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `body ${index}`);
}
