/** One line for a terminal or a page of plain text: what strangers named ends no line, and tells no terminal anything. */
export function printed(line: string): string {
  return line.replace(/\p{Cc}/gu, "\u{fffd}");
}
