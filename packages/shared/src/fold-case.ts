/** Texts in which case, and the way an accent is encoded, make no difference. Pure. */
export function foldCase (text: string): string {
  return text.normalize('NFC').toUpperCase().toLowerCase()
}
