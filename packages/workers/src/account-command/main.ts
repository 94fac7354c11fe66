/** `npm run account -- COMMAND`: the accounts of the monitor, from the command line. */
import { processSource } from '@usher/shared/settings/settings.ts'
import { runAccountCommand } from './account-command.ts'

process.exitCode = await runAccountCommand(processSource(import.meta.dirname), process)
