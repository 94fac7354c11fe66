/** Changes the password of the account, with what stands in two fields. */
import type { Answer } from '../kit/api.ts'
import { refusalText, type Complaint } from '../kit/json-form.ts'

type Field = Pick<HTMLInputElement, 'id' | 'value'>

/** What is wrong, and with which field; undefined when the password is changed. */
export async function changePassword (
  post: (path: string, body: object) => Promise<Answer<unknown>>, current: Field, next: Field
): Promise<Complaint | undefined> {
  const answer = await post('/password', { current: current.value, next: next.value })
  if (answer.isOk) return undefined
  // A `bad_request` is about the new password; all else is about the current one.
  const { id } = answer.error === 'bad_request' ? next : current
  return { field: id, text: refusalText(answer) }
}
