interface WithPrimary<Client> {
  readonly $primary?: () => Client
}

/** The client that asks the primary, behind a read-replica extension; the client itself where there is none. */
export function primaryOf<Client extends object>(client: Client): Client {
  return (client as WithPrimary<Client>).$primary?.() ?? client
}
