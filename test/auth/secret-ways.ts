import type { Accounts } from "../../auth/accounts.ts";
import type { Peer, Principal } from "../../auth/principal.ts";
import { ChallengeAnswerer, type Credentials, HttpAuthenticator } from "../../auth/scheme/http.ts";
import { UsernameTokenVerifier, usernameTokenHeader } from "../../auth/scheme/usernametoken.ts";
import { Throttle } from "../../auth/throttle.ts";
import type { Clock } from "../../base/clock.ts";
import { TLS } from "./fixture.ts";

const URI = "rtsp://bridge.test:554/live/cam1";

interface Doors {
  readonly accounts: Accounts;
  readonly clock: Clock;
}

/** Logs in at a door that has seen nobody before. Throws as that does. */
type Way = (login: Credentials, doors: Doors, peer?: Peer) => Promise<Principal>;

/** Each way in which an external system shows that it has its secret. */
export const SECRET_WAYS = {
  "digest SHA-256": digest("SHA-256"),
  "digest MD5": digest("MD5"),
  Basic: ({ user, password }, doors, peer = TLS) => {
    const authorization = `Basic ${Buffer.from(`${user}:${password.reveal()}`).toString("base64")}`;
    return serverOf(doors).verify({ method: "DESCRIBE", uri: URI, peer, authorization });
  },
  UsernameToken: async (login, { accounts, clock }, peer = TLS) => {
    const xml = usernameTokenHeader(login, clock.now());
    const text = (name: string): string => new RegExp(`<ws(?:se|u):${name}[^>]*>([^<]*)`).exec(xml)?.[1] ?? "";
    const [password, nonce, created] = [text("Password"), text("Nonce"), text("Created")];
    const sent = { username: login.user, password, type: "digest", nonce, created } as const;
    return new UsernameTokenVerifier({ accounts, clock, throttle: new Throttle(clock) }).verify(sent, peer);
  },
} as const satisfies Readonly<Record<string, Way>>;

function digest(algorithm: string): Way {
  return async (login, doors, peer = TLS) => {
    const server = serverOf(doors);
    const client = new ChallengeAnswerer(login);
    client.challenged(server.challenges(peer).filter((one) => one.includes(`algorithm=${algorithm}`)));
    const authorization = client.authorize("DESCRIBE", URI);
    return server.verify({ method: "DESCRIBE", uri: URI, peer, authorization });
  };
}

function serverOf({ accounts, clock }: Doors): HttpAuthenticator {
  return new HttpAuthenticator({ accounts, clock, realm: "Viaduct", door: "rtsp", throttle: new Throttle(clock) });
}
