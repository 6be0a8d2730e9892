/** Creates `count` different bodies for a fake queue. */
export function bodies(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `body ${index}`);
}
