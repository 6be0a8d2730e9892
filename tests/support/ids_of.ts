/** The ids of rows, rejections or messages, sorted. */
export function idsOf(members: readonly { readonly id: string }[]): string[] {
  return members.map(({ id }) => id).sort();
}
