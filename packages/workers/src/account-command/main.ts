/** The entry of `npm run account` and `usher account`: the accounts of the monitor, by words. */
import { processSource } from '@usher/shared/settings/settings.ts'
import { runAccountCommand } from './account-command.ts'

void runAccountCommand(processSource(import.meta.dirname), process)
  .then(code => { process.exitCode = code })
