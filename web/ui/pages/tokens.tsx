import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { type ApiToken, api, type SentBy } from "../api.ts";
import { Copyable, Dialog, Field, Trouble, useTask, wordsOf } from "../parts.tsx";
import { CodeField, codeLabel, SendCode } from "./factor.tsx";

interface Owner {
  /** The id of an external system's account; the caller's own where undefined. */
  readonly account: string | undefined;
  /** What is asked for once more before one is made. */
  readonly proves: "nothing" | "password" | "code";
  /** By what codes are sent, where they are. */
  readonly codesBy: SentBy | undefined;
}

/** The tokens of one account: what there are, a new one, and revoking them. */
export function Tokens(props: Owner & { readonly title: string; readonly onClose: () => void }): JSX.Element {
  const [tokens, setTokens] = useState<readonly ApiToken[] | undefined>(undefined);
  const [trouble, setTrouble] = useState<string | undefined>(undefined);
  const [adding, setAdding] = useState(false);
  const [made, setMade] = useState<{ name: string; token?: string } | undefined>(undefined);
  const load = (): void => {
    api.tokens(props.account).then(setTokens, (error: unknown) => setTrouble(wordsOf(error)));
  };
  useEffect(load, []);
  const revoke = (token: ApiToken): void => {
    api.revokeToken(props.account, token.id).then(load, (error: unknown) => setTrouble(wordsOf(error)));
  };
  if (made !== undefined)
    return (
      <Dialog title={`The token ${made.name}`} onClose={props.onClose}>
        {made.token === undefined ? (
          <p>
            The program that has the key of this certificate may come now, where the bridge asks for certificates
            (clientSide.clientCertificates).
          </p>
        ) : (
          <>
            <p>It is shown this once. A program sends it with each request: Authorization: Bearer, and the token.</p>
            <Copyable text={made.token} label="token" />
          </>
        )}
        <footer>
          <button type="button" class="primary" onClick={props.onClose}>
            Done
          </button>
        </footer>
      </Dialog>
    );
  if (adding) return <NewToken {...props} onMade={setMade} onClose={() => setAdding(false)} />;
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      <p>With a token a program may do over the network what this account may, until it is revoked or expires.</p>
      {tokens === undefined ? (
        <p class="loading">Loading tokens…</p>
      ) : tokens.length === 0 ? (
        <p>There are none.</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Where</th>
              <th scope="col">Expires</th>
              <th scope="col">Used last</th>
              <th scope="col" />
            </tr>
          </thead>
          <tbody>
            {tokens.map((token) => (
              <tr key={token.id}>
                <td>
                  {token.name}
                  {token.certificate === null ? null : (
                    <small title={token.certificate}> certificate {token.certificate.slice(0, 11)}…</small>
                  )}
                </td>
                <td>
                  {token.interfaces.join(", ")}
                  {token.networks.length === 0 ? null : <small> from {token.networks.join(", ")}</small>}
                </td>
                <td>{token.expires === null ? "never" : dayOf(token.expires)}</td>
                <td>{token.lastUse === null ? "never" : `${dayOf(token.lastUse.at)}, ${token.lastUse.address}`}</td>
                <td class="end">
                  <button type="button" class="quiet danger" onClick={() => revoke(token)}>
                    Revoke
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <Trouble text={trouble} />
      <footer>
        <button type="button" onClick={props.onClose}>
          Close
        </button>
        <button type="button" class="primary" onClick={() => setAdding(true)}>
          Make a token…
        </button>
      </footer>
    </Dialog>
  );
}

function NewToken(
  props: Owner & {
    readonly onMade: (made: { name: string; token?: string }) => void;
    readonly onClose: () => void;
  },
): JSX.Element {
  const [name, setName] = useState("");
  const [networks, setNetworks] = useState("");
  const [days, setDays] = useState("365");
  const [everywhere, setEverywhere] = useState(false);
  const [certificate, setCertificate] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const task = useTask();
  const submit = (event: Event): void => {
    event.preventDefault();
    const expires = new Date(Date.now() + Number(days) * 86_400_000).toISOString();
    const wanted = {
      name,
      interfaces: everywhere ? ["api", "onvif", "rtsp"] : ["api"],
      networks: networks.split(/[\s,]+/).filter((one) => one !== ""),
      expires: days === "" ? null : expires,
      ...(certificate.trim() === "" ? {} : { certificate }),
    };
    const proof = {
      ...(props.proves === "nothing" ? {} : { password }),
      ...(props.proves === "code" ? { code } : {}),
    };
    task.run(async () => props.onMade(await api.addToken(props.account, wanted, proof)));
  };
  return (
    <Dialog title="Make a token" onClose={props.onClose}>
      <form onSubmit={submit}>
        <Field label="Name" hint="What it is for.">
          <input
            required
            autofocus
            maxLength={64}
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </Field>
        <Field label="Valid for days" hint="Empty: for ever.">
          <input
            type="number"
            min="1"
            max="3650"
            value={days}
            onInput={(event) => setDays(event.currentTarget.value)}
          />
        </Field>
        <Field label="Taken from" hint="Addresses and networks, as 10.2.0.0/24. Empty: from everywhere.">
          <input value={networks} spellcheck={false} onInput={(event) => setNetworks(event.currentTarget.value)} />
        </Field>
        <label class="check">
          <input
            type="checkbox"
            checked={everywhere}
            onChange={(event) => setEverywhere(event.currentTarget.checked)}
          />{" "}
          For ONVIF and RTSP too, inside TLS
        </label>
        <Field label="Client certificate" hint="PEM, instead of a secret. It is good until it expires at most.">
          <textarea
            rows={3}
            value={certificate}
            spellcheck={false}
            onInput={(event) => setCertificate(event.currentTarget.value)}
          />
        </Field>
        {props.proves === "nothing" ? null : (
          <Field label="Your password">
            <input
              required
              type="password"
              autocomplete="current-password"
              value={password}
              onInput={(event) => setPassword(event.currentTarget.value)}
            />
          </Field>
        )}
        {props.proves === "code" ? (
          <>
            <CodeField label={codeLabel(props.codesBy)} value={code} onType={setCode} />
            {props.codesBy === undefined ? null : <SendCode />}
          </>
        ) : null}
        <Trouble text={task.trouble} />
        <footer>
          <button type="button" onClick={props.onClose}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={task.busy}>
            Make it
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

function dayOf(iso: string): string {
  return new Date(iso).toLocaleDateString();
}
