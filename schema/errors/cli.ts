import type { Catalogue } from './catalogue.ts'

export const cliErrors = {
  SLUICE_NOT_LOGGED_IN: {
    status: 401,
    title: 'There is no authtoken.',
    cause: 'Neither SLUICE_AUTHTOKEN nor the configuration file has one.',
    fix: 'Create one in the console under Authtokens, then run `sluice login`.',
  },
  SLUICE_SERVER_UNREACHABLE: {
    status: 503,
    title: '{server} does not answer.',
    cause: '{reason}',
    fix: 'Check the address (--server or SLUICE_SERVER) and your network.',
  },
  SLUICE_ROUND_TRIP_FAILED: {
    status: 502,
    title: 'The public address does not answer yet.',
    cause: 'The check through {url} failed: {reason}.',
    fix: 'The operator’s DNS or firewall may not let visitors reach the relay.',
  },
  SLUICE_USAGE: {
    status: 400,
    title: '{reason}',
    cause: 'The command line is not valid.',
    fix: 'Run `sluice help {command}` for the options.',
  },
  SLUICE_PROJECT_INVALID: {
    status: 400,
    title: '{file} is not valid.',
    cause: '{reason}',
    fix: 'Correct it, then run `sluice config check`. `sluice config schema` prints what editors check it with.',
  },
  SLUICE_PROJECT_NOT_FOUND: {
    status: 404,
    title: 'There is no project file.',
    cause: 'None of these files exists: {paths}.',
    fix: 'Write a sluice.yml, name one with --config, or run `sluice import` with the file of another tunnel program.',
  },
  SLUICE_PROJECT_TUNNEL_UNKNOWN: {
    status: 404,
    title: '{file} has no tunnel {name}.',
    cause: 'It has: {names}.',
    fix: 'Start one of these, or all of them with `sluice start --all`.',
  },
  SLUICE_TARGET_REFUSED: {
    status: 403,
    title: 'The agent does not forward to {target}.',
    cause: '{reason}',
    fix: 'If this is what you want, name the address: --allow-target {address}.',
  },
  SLUICE_SERVICE_MANAGER_MISSING: {
    status: 501,
    title: 'There is no systemd here.',
    cause: 'The service is a systemd unit, and {reason}.',
    fix: 'Print the unit with `sluice service install --print`, or let your own supervisor run `sluice start --all`.',
  },
  SLUICE_SERVICE_FAILED: {
    status: 500,
    title: 'The service was not changed.',
    cause: '{reason}',
    fix: 'Run the command that failed yourself; a system unit needs root.',
  },
  SLUICE_CHECKS_FAILED: {
    status: 500,
    title: 'Not everything is in order.',
    cause: 'These checks failed: {names}.',
    fix: 'Run the command behind the arrow of each, then `sluice doctor` again.',
  },
  SLUICE_COMMAND_UNKNOWN: {
    status: 400,
    title: '{reason}',
    cause: 'The command line program has no such command.',
    fix: 'Run `sluice help` to list the commands.',
  },
  SLUICE_SERVER_FOREIGN: {
    status: 502,
    title: '{server} is not a Sluice server.',
    cause: 'Something else answers there: {reason}.',
    fix: 'Check the address (--server or SLUICE_SERVER); it is the address of the console.',
  },
  SLUICE_RELAY_UNREACHABLE: {
    status: 503,
    title: 'The relay does not answer.',
    cause: 'No session with {relay} within {seconds} seconds: {reason}.',
    fix: 'Check that your network lets this machine open WebSockets to the relay.',
  },
  SLUICE_CONFIG_NOT_READ: {
    status: 500,
    title: '{path} could not be read.',
    cause: 'Reading it failed: {reason}.',
    fix: 'Check the path, and that you may read the file. One that `sluice login` wrote may be removed: log in again.',
  },
  SLUICE_CONFIG_NOT_SAVED: {
    status: 500,
    title: 'The configuration file could not be written.',
    cause: '{path}: {reason}.',
    fix: 'Make the folder writable for you, or set SLUICE_AUTHTOKEN instead.',
  },
  SLUICE_COMMAND_FAILED: {
    status: 500,
    title: 'The command failed in an unexpected way.',
    cause: '{reason}',
    fix: 'Run it again with SLUICE_DEBUG=1 and send the output to the operator.',
  },
} as const satisfies Catalogue
