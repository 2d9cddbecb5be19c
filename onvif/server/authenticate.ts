import type { IncomingMessage } from "node:http";
import type { Peer, Principal } from "../../auth/principal.ts";
import { UnauthenticatedFault } from "../../auth/unauthenticated.ts";
import type { Envelope } from "../../wsdl/envelope.ts";
import { NAMESPACES } from "../../wsdl/namespaces.ts";
import { attributeOf, childOf, type XmlElement } from "../../wsdl/xml.ts";

/** No field of a UsernameToken is longer: names, generated secrets, nonces and times are all far shorter. */
const FIELD_CHARACTERS = 512;

const { wsse, wsu } = NAMESPACES;

/** HTTP authentication (RFC 7616), as {@link HttpAuthenticator} of auth/ does it. */
export interface HttpAuthentication {
  challenges(
    peer: Peer,
    options?: { readonly stale?: boolean; readonly authorization?: string | undefined },
  ): readonly string[];
  takes(authorization: string): boolean;
  verify(request: {
    readonly method: string;
    readonly uri: string;
    readonly authorization: string | undefined;
    readonly peer: Peer;
  }): Promise<Principal>;
}

/** WS-UsernameToken (Web Services Security UsernameToken Profile 1.0), the only login that some clients have. */
export interface UsernameTokenAuthentication {
  verify(
    token: {
      readonly username: string;
      readonly password: string;
      readonly type: "digest" | "text";
      readonly nonce?: string;
      readonly created?: string;
    },
    peer: Peer,
  ): Promise<Principal>;
}

/**
 * Who is asking. HTTP credentials count first; a UsernameToken only where there are none (ONVIF Core 5.9.1). An empty
 * Authorization field, or one of a scheme that we do not speak, or with a token that is not of ours, is none. Fault `unauthenticated` or `busy`.
 */
export function authenticate(
  request: IncomingMessage,
  peer: Peer,
  envelope: Envelope,
  http: HttpAuthentication,
  usernameTokens: UsernameTokenAuthentication | undefined,
): Promise<Principal> {
  const given = request.headers.authorization?.trim() ?? "";
  const authorization = http.takes(given) ? given : undefined;
  if (authorization === undefined && usernameTokens !== undefined) {
    const token = usernameToken(envelope);
    if (token !== undefined) return usernameTokens.verify(token, peer);
  }
  return http.verify({ method: request.method ?? "POST", uri: request.url ?? "", authorization, peer });
}

function usernameToken(envelope: Envelope): Parameters<UsernameTokenAuthentication["verify"]>[0] | undefined {
  const security = envelope.header.find((block) => block.ns === wsse && block.name === "Security");
  const token = security === undefined ? undefined : childOf(security, wsse, "UsernameToken");
  if (token === undefined) return undefined;
  const password = childOf(token, wsse, "Password");
  const username = field(childOf(token, wsse, "Username"));
  const nonce = field(childOf(token, wsse, "Nonce"));
  const created = field(childOf(token, wsu, "Created"));
  if (username === undefined || password === undefined)
    throw new UnauthenticatedFault("UsernameToken without user name or password");
  const digest = attributeOf(password, "Type")?.endsWith("#PasswordDigest") === true;
  return {
    username,
    password: field(password) ?? "",
    type: digest ? "digest" : "text",
    ...(nonce === undefined ? {} : { nonce }),
    ...(created === undefined ? {} : { created }),
  };
}

function field(element: XmlElement | undefined): string | undefined {
  if (element === undefined) return undefined;
  if (element.text.length > FIELD_CHARACTERS) throw new UnauthenticatedFault("UsernameToken with an oversized field");
  return element.name === "Password" ? element.text : element.text.trim();
}
