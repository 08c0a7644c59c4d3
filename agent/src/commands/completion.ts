import { SluiceError } from '@sluice/schema/errors'
import type { Command } from 'commander'

import type { Output } from '../output.ts'

/** What can stand behind each command: its own commands and options. */
type Words = Readonly<Record<string, readonly string[]>>

/** Prints what a shell reads to complete our commands and options. */
export function runCompletion(shell: string, program: Command, output: Output): void {
  const words = wordsOf(program)
  switch (shell) {
    case 'bash':
      return void output.result(bashText(words))
    case 'zsh':
      // zsh reads what bash does.
      return void output.result(`autoload -U +X bashcompinit && bashcompinit\n${bashText(words)}`)
    case 'fish':
      return void output.result(fishText(words))
    default: {
      const reason = `There is no completion for ${shell}: choose bash, zsh or fish.`
      throw new SluiceError('SLUICE_USAGE', { reason, command: 'completion' })
    }
  }
}

function wordsOf(program: Command): Words {
  const common = flagsOf(program)
  const entries = program.commands.map((command): [string, string[]] => {
    const own = command.commands.flatMap((each) => [each.name(), ...flagsOf(each)])
    return [command.name(), [...new Set([...own, ...flagsOf(command), ...common])]]
  })
  return {
    '': [...program.commands.map((command) => command.name()), ...common],
    ...Object.fromEntries(entries),
  }
}

function flagsOf(command: Command): string[] {
  return command.options.map(({ long, short }) => long ?? short ?? '').filter((flag) => flag !== '')
}

function bashText(words: Words): string {
  const cases = Object.entries(words)
    .filter(([name]) => name !== '')
    .map(([name, each]) => `    ${name}) words='${each.join(' ')}' ;;`)
  return `_sluice() {
  local words word="\${COMP_WORDS[COMP_CWORD]}"
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
    *) words='${words['']?.join(' ')}' ;;
  esac
  [ "$COMP_CWORD" -eq 1 ] && words='${words['']?.join(' ')}'
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _sluice sluice`
}

function fishText(words: Words): string {
  return Object.entries(words)
    .map(([name, each]) => {
      const where = name === '' ? '__fish_use_subcommand' : `__fish_seen_subcommand_from ${name}`
      return `complete -c sluice -n '${where}' -a '${each.join(' ')}'`
    })
    .join('\n')
}
