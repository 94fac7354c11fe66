/** Tables of a report as text for a terminal and as markdown. Pure. */
import type { ReportTable } from './report.ts'

/** Columns side by side; the first is a name and stands at the left, figures at the right. */
export function tableText (table: ReportTable): string {
  const lines = [table.columns, ...table.rows]
  const widths = table.columns.map((_, column) => (
    Math.max(...lines.map(line => (line[column] ?? '').length))
  ))
  const lineText = (line: readonly string[]): string => widths.map((width, column) => {
    const cell = line[column] ?? ''
    return column === 0 ? cell.padEnd(width) : cell.padStart(width)
  }).join('  ').trimEnd()
  const [head, ...body] = lines.map(lineText)
  return [
    table.title, head!, widths.map(width => '-'.repeat(width)).join('  '), ...body, ...table.notes, ''
  ].join('\n')
}

/** With its heading, its notes and its command. */
export function tableMarkdown (table: ReportTable): string {
  return [
    `### ${table.title}`, '',
    markdownRows(table.columns, table.rows), '',
    ...table.notes.flatMap(note => [note, '']),
    `\`${table.command}\``, ''
  ].join('\n')
}

export function markdownRows (
  columns: readonly string[], rows: ReadonlyArray<readonly string[]>
): string {
  const line = (cells: readonly string[]): string => (
    `| ${columns.map((_, column) => escaped(cells[column] ?? '')).join(' | ')} |`
  )
  return [line(columns), `|${'---|'.repeat(columns.length)}`, ...rows.map(line)].join('\n')
}

function escaped (cell: string): string {
  return cell.replaceAll('|', '\\|').replaceAll('\n', ' ')
}
