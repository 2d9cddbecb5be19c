import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api } from "../api.ts";
import { Dialog, Empty, Field, Trouble, useTask, wordsOf } from "../parts.tsx";
import { type Approval, withdraw } from "../second-person.ts";
import { Asked, timeWords } from "../waiting.tsx";
import { CodeField } from "./factor.tsx";

const REFRESH_MS = 3000;

type Listed = Approval & { readonly own: boolean };

const STATE_WORDS: Readonly<Record<Approval["state"], string>> = {
  waiting: "waits",
  approved: "approved, and not done yet",
  used: "approved and done",
  refused: "refused",
  withdrawn: "withdrawn",
  expired: "expired",
  void: "no longer approved",
};

/** What waits for a second person, to be answered; what the account asks for itself; and what became of the rest. */
export function Approvals(props: {
  readonly mayApprove: boolean;
  /** Told of how many wait for this person. */
  readonly onCount: (count: number) => void;
}): JSX.Element {
  const { mayApprove, onCount } = props;
  const [list, setList] = useState<readonly Listed[] | undefined>(undefined);
  const [trouble, setTrouble] = useState<string | undefined>(undefined);
  const [answering, setAnswering] = useState<{ one: Listed; says: "approved" | "refused" } | undefined>(undefined);
  const load = (): void => {
    api.approvals().then(
      (found) => {
        setList(found);
        setTrouble(undefined);
        onCount(toAnswer(found));
      },
      (error: unknown) => setTrouble(wordsOf(error)),
    );
  };
  useEffect(() => {
    load();
    const timer = window.setInterval(load, REFRESH_MS);
    return () => window.clearInterval(timer);
  }, []);
  const waiting = (list ?? []).filter(({ state }) => state === "waiting");
  const over = (list ?? []).filter(({ state }) => state !== "waiting");
  return (
    <section aria-label="Approvals">
      <Trouble text={trouble} />
      {list === undefined && trouble === undefined ? <p class="loading">Loading what waits…</p> : null}
      {list !== undefined && waiting.length === 0 ? (
        <Empty title="Nothing waits for a second person">
          <p>
            {mayApprove
              ? "What others ask for appears here by itself, to be approved or refused."
              : "What you ask for, and somebody else has to approve, appears here."}
          </p>
        </Empty>
      ) : null}
      <ul class="cards" aria-label="Waiting">
        {waiting.map((one) => (
          <li key={one.id} class="card">
            <Asked approval={one} />
            <p class="hint">
              Asked at {timeWords(one.askedAt)}, waits until {timeWords(one.until)}.
            </p>
            {one.own ? (
              <Own one={one} onDone={load} />
            ) : (
              <footer>
                <button type="button" onClick={() => setAnswering({ one, says: "refused" })}>
                  Refuse…
                </button>
                <button type="button" class="primary" onClick={() => setAnswering({ one, says: "approved" })}>
                  Approve…
                </button>
              </footer>
            )}
          </li>
        ))}
      </ul>
      {over.length === 0 ? null : <Over list={over} />}
      {answering === undefined ? null : (
        <Answer
          {...answering}
          onClose={() => {
            setAnswering(undefined);
            load();
          }}
        />
      )}
    </section>
  );
}

/** How many wait for somebody who may approve, and has not asked for them. */
export function toAnswer(list: readonly Listed[]): number {
  return list.filter(({ own, state }) => !own && state === "waiting").length;
}

function Own({ one, onDone }: { readonly one: Listed; readonly onDone: () => void }): JSX.Element {
  const task = useTask();
  return (
    <footer>
      <Trouble text={task.trouble} />
      <span class="hint grow">You have asked for this: somebody else answers it.</span>
      <button type="button" disabled={task.busy} onClick={() => task.run(() => withdraw(one).then(onDone))}>
        Withdraw
      </button>
    </footer>
  );
}

function Answer(props: {
  readonly one: Listed;
  readonly says: "approved" | "refused";
  readonly onClose: () => void;
}): JSX.Element {
  const { one, says, onClose } = props;
  const [why, setWhy] = useState("");
  const [code, setCode] = useState("");
  const [needsCode, setNeedsCode] = useState(false);
  const task = useTask();
  const submit = (event: Event): void => {
    event.preventDefault();
    task.run(async () => {
      const answer = await api.answerApproval(one.id, {
        says,
        ...(why === "" ? {} : { why }),
        ...(code === "" ? {} : { code }),
      });
      if (answer === undefined) onClose();
      else setNeedsCode(true);
    });
  };
  return (
    <Dialog title={says === "approved" ? "Approve this?" : "Refuse this?"} onClose={onClose}>
      <form onSubmit={submit}>
        <Asked approval={one} />
        <Field label="Reason" hint={says === "approved" ? "For the audit log." : `${one.who} is told this.`}>
          <input maxLength={500} value={why} onInput={(event) => setWhy(event.currentTarget.value)} />
        </Field>
        {needsCode ? (
          <CodeField label="Code of your authenticator, or that was sent to you" value={code} onType={setCode} />
        ) : null}
        <Trouble text={task.trouble} />
        <footer>
          <button type="button" onClick={onClose}>
            Back
          </button>
          <button type="submit" class={says === "approved" ? "primary" : "primary danger"} disabled={task.busy}>
            {says === "approved" ? "Approve" : "Refuse"}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

function Over({ list }: { readonly list: readonly Listed[] }): JSX.Element {
  return (
    <table>
      <caption>Answered</caption>
      <thead>
        <tr>
          <th scope="col">Asked</th>
          <th scope="col">Who</th>
          <th scope="col">What</th>
          <th scope="col">State</th>
        </tr>
      </thead>
      <tbody>
        {list.map((one) => (
          <tr key={one.id}>
            <td>{timeWords(one.askedAt)}</td>
            <td>{one.who}</td>
            <td>
              {one.does}
              <small class="line">{one.words}</small>
            </td>
            <td>
              <span class={one.state === "used" || one.state === "approved" ? "done" : "bad"}>
                {STATE_WORDS[one.state]}
              </span>
              {one.by === null ? null : <small class="line">by {one.by.who}</small>}
              {one.why === null ? null : <small class="line">{one.why}</small>}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
