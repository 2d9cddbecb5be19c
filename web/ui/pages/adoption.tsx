import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { api, type Find, type TransportSetting } from "../api.ts";
import { Dialog, Field, Trouble, useTask } from "../parts.tsx";
import { TRANSPORTS } from "./transports.ts";

/** What is to be adopted: a find, or the RTSP address that a person types. */
export type Wanted = { readonly find: Find } | "rtsp";

/** The form that makes a camera ours. */
export function Adoption(props: {
  readonly wanted: Wanted;
  readonly steps: ReadonlyMap<string, string>;
  readonly onClose: () => void;
  readonly onAdopted: () => void;
}): JSX.Element {
  const find = props.wanted === "rtsp" ? undefined : props.wanted.find;
  const [rtsp, setRtsp] = useState("rtsp://");
  const [sub, setSub] = useState("");
  const [transport, setTransport] = useState<TransportSetting>("auto");
  const [plainText, setPlainText] = useState(false);
  const [name, setName] = useState(find?.name ?? "");
  const [user, setUser] = useState("");
  const [password, setPassword] = useState("");
  const task = useTask();
  const step = props.steps.get(find?.id ?? rtsp);
  const submit = (event: Event): void => {
    event.preventDefault();
    task.run(async () => {
      const smaller = sub.trim() === "" ? {} : { sub: sub.trim() };
      const target = find === undefined ? { rtsp: rtsp.trim(), ...smaller } : { find: find.id };
      await api.adopt({ target, name, user, password, transport, plainText });
      props.onAdopted();
    });
  };
  return (
    <Dialog
      title={find === undefined ? "Add a camera by its address" : `Adopt ${find.name ?? find.ip}`}
      onClose={props.onClose}
    >
      <form onSubmit={submit}>
        {find === undefined ? (
          <>
            <Field label="RTSP address" hint="Without user name and password: they go into the fields below.">
              <input required value={rtsp} spellcheck={false} onInput={(event) => setRtsp(event.currentTarget.value)} />
            </Field>
            <Field
              label="RTSP address of a smaller picture"
              hint="Of the same camera, for walls of pictures. Optional."
            >
              <input value={sub} spellcheck={false} onInput={(event) => setSub(event.currentTarget.value)} />
            </Field>
          </>
        ) : (
          <p class="hint">
            <code>{find.xaddrs[0]}</code>
          </p>
        )}
        <Field label="Name" hint="How operators know it. Empty: the camera's own name.">
          <input value={name} onInput={(event) => setName(event.currentTarget.value)} />
        </Field>
        <Field label="Camera's user">
          <input
            value={user}
            autocomplete="off"
            spellcheck={false}
            onInput={(event) => setUser(event.currentTarget.value)}
          />
        </Field>
        <Field label="Camera's password" hint="Stored encrypted, never shown again.">
          <input
            type="password"
            value={password}
            autocomplete="off"
            onInput={(event) => setPassword(event.currentTarget.value)}
          />
        </Field>
        <Field label="Transport" hint="Automatic asks for what loses nothing, and goes on to what the camera can.">
          <select value={transport} onChange={(event) => setTransport(event.currentTarget.value as TransportSetting)}>
            {TRANSPORTS.map(([setting, words]) => (
              <option key={setting} value={setting}>
                {words}
              </option>
            ))}
          </select>
        </Field>
        <label class="check">
          <input type="checkbox" checked={plainText} onChange={(event) => setPlainText(event.currentTarget.checked)} />{" "}
          Allow plain text for this camera
        </label>
        <p class="hint">
          Everybody on the camera network can see its pictures then. Without it, the bridge speaks RTSPS and HTTPS
          alone.
        </p>
        <Trouble text={task.trouble} />
        {task.busy ? (
          <p class="hint" role="status">
            {step ?? "Logging in to the camera…"}
          </p>
        ) : null}
        <footer>
          <button type="button" onClick={props.onClose}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={task.busy}>
            {task.busy ? "Adopting…" : "Adopt and record"}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
