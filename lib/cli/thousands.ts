/** A count for people: `12,345`. */
export function thousands(count: number): string {
  return count.toLocaleString("en");
}
