/** Lists the ids of rows, rejections or messages, sorted. */
export function listIds(members: readonly { readonly id: string }[]): string[] {
  return members.map(({ id }) => id).sort();
}
