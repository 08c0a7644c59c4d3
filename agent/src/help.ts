/** What each help text leads with: people copy examples before they read options. */
export const examples = {
  sluice: `Examples:
  sluice login                            remember an authtoken of the console
  sluice 3000                             http://localhost:3000 on a public address
  sluice http 3000 --name app             under a name of your choice
  sluice logs -f                          requests as they come
`,
  http: `Examples:
  sluice http 3000
  sluice http localhost:8080 --name app
  sluice http https://localhost:8443 --host-header rewrite
  sluice http 3000 --basic-auth env:SITE_LOGIN --allow-ip 203.0.113.0/24
  sluice http 3000 --proxy http://proxy:3128 --ca company.pem
  sluice http 3000 --json | jq -r 'select(.event == "request").path'
`,
  tcp: `Examples:
  sluice tcp 5432                         a database at a public port
  sluice tcp 22 --name box --port 20022   the same port at every start
  sluice tcp 8080 --proxy-protocol 2      with the visitor’s address before the bytes
`,
  tls: `Examples:
  sluice tls 8443                         TLS that the service itself terminates
  sluice tls 8443 --name app --allow-ip 203.0.113.0/24
`,
  udp: `Examples:
  sluice udp 53 --name dns                a DNS server at a public port
  sluice udp 51820 --allow-ip 203.0.113.0/24
`,
  start: `Examples:
  sluice start                            the only tunnel of sluice.yml
  sluice start app docs                   two of several
  sluice start --all --config other.yml
  sluice config check                     what is wrong with the file, with line and column
`,
  login: `Examples:
  sluice login                            asks for the authtoken, without showing it
  sluice login --server https://sluice.example.com
  sluice login < authtoken.txt
  SLUICE_AUTHTOKEN=… sluice http 3000     needs no login at all
`,
  logs: `Examples:
  sluice logs -n 50
  sluice logs -f --tunnel app
  sluice logs -f --json | jq -r 'select(.event == "request").path'
`,
} as const
