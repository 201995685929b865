/* Asks the controller's page process for its state again and again, and shows it. Everything that comes is text to this page:
 * nothing is ever read as markup. */
"use strict";
(() => {
  const EVERY_MS = 250, PATIENCE_MS = 4000, SPEAK_MS = 3000;
  const $ = (id) => document.getElementById(id);
  const text_of = (e, value) => { const s = String(value); if (e.textContent !== s) e.textContent = s; };
  const text = (id, value) => text_of($(id), value);
  const make = (name, words, kind) => {
    const e = document.createElement(name);
    if (words !== undefined) e.textContent = words;
    if (kind) e.className = kind;
    return e;
  };
  const count = new Intl.NumberFormat("en"), few = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
  const short = (n) => n < 10000 ? count.format(n) : few.format(n);
  const clock = (ms) => {
    const d = new Date(ms), two = (n) => String(n).padStart(2, "0");
    return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}.${String(d.getMilliseconds()).padStart(3, "0")}`;
  };
  const once = { identity: -1, events: "", presses: "", verdicts: "", attacks: false };
  const shown = { live: 0, refused: 0 }, loading = {};
  const told = {};
  let token = "", spoken = { words: "", at: 0 }, speech = 0, rates = [], last_bad = 0, bad_until = 0;

  async function fetch_json(path) {
    const stop = new AbortController(), timer = setTimeout(() => stop.abort(), PATIENCE_MS);
    try {
      const r = await fetch(path, { signal: stop.signal, cache: "no-store" });
      return r.ok ? await r.json() : null;
    } finally { clearTimeout(timer); }
  }

  /* ---- the line that is read out: not more often than one can listen ---- */
  function speak(state, words) {
    const now = Date.now();
    clearTimeout(speech);
    if (words === spoken.words) return;
    const wait = spoken.words === "" || $("status").dataset.state !== state ? 0 : spoken.at + SPEAK_MS - now;
    if (wait > 0) { speech = setTimeout(() => speak(state, words), wait); return; }
    spoken = { words, at: now };
    $("status").dataset.state = state;
    text("status", words);
  }

  /* ---- pictures ---- */
  const mark_words = (m) => (m.from === m.to ? `line ${m.from}` : `lines ${m.from} to ${m.to}`) +
    (m.verdict === "missing" ? ": never verified" : `: ${m.verdict}`);

  function show_marks(box, frame, height) {
    const list = box.querySelector(".marks"), key = JSON.stringify([frame.frame, frame.marks]);
    if (told[box.id] === key) return;
    told[box.id] = key;
    list.replaceChildren(...frame.marks.map((m, i) => {
      const li = make("li"), top = m.from / height, share = (m.to - m.from + 1) / height;
      li.style.top = `${100 * top}%`;
      li.style.height = `${100 * share}%`;
      if (top < .12) li.classList.add("top");
      if (top > .85) li.classList.add("low");
      li.append(make("span", undefined, "band"));
      if (i < 6) li.append(make("span", mark_words(m), "label"));
      else li.setAttribute("aria-label", mark_words(m));
      return li;
    }));
  }

  /* The next picture takes the place of the one before when it is decoded, so that nothing flickers; while one is under way no
   * other is asked for. */
  async function show_picture(id, path, frame, height, words) {
    const box = $(id), old = box.querySelector("img");
    show_marks(box, frame, height);
    text(`${id}-text`, words);
    old.alt = words;
    if (shown[id] === frame.number || loading[id]) return;
    loading[id] = true;
    const next = new Image();
    next.alt = words;
    next.src = `${path}?number=${frame.number}`;
    try {
      await next.decode();
      old.replaceWith(next);
      shown[id] = frame.number;
    } catch (e) { /* the next turn asks again */ }
    loading[id] = false;
  }

  function why(f) {
    const cause = f.cause === f.verdict ? f.verdict : `${f.verdict}, first ${f.cause}`;
    return `${cause} (${f.meaning})`;
  }

  /* What a frame is called that is ok: only what is under a tag has verified. */
  const called = { all: "verified", part: "verified, as far as its variant goes",
                   nothing: "checksums are right, nothing of its pixels is proven" };

  function show_live(s) {
    const f = s.live, h = s.stream.height;
    if (!f) return;
    $("live").dataset.state = f.coming || s.stream.proven === "nothing" ? "" : "good";
    $("live").querySelector(".empty").hidden = true;
    show_picture("live", "/live.png", f, h, f.coming
      ? `Frame ${f.frame} is coming: ${f.have} of ${h} lines have verified.`
      : `Frame ${f.frame}: ${called[s.stream.proven]}, all ${h} lines, at ${clock(f.ms)}.`);
  }

  function show_refused(s) {
    const f = s.refused_frame, h = s.stream.height, empty = $("refused").querySelector(".empty");
    if (!f) return;
    let words = `Frame ${f.frame}: refused, ${why(f)}`;
    if (f.lost > 0) words = f.lost > 1 ? `${f.lost} frames from ${f.frame} on: lost, ${why(f)}` : `Frame ${f.frame}: lost, ${why(f)}`;
    else if (f.place) words += `, at ${f.place}`;
    words += `, at ${clock(f.ms)}.`;
    if (f.lost === 0 && f.by_line) words += ` ${f.have} of ${h} lines had verified and were called back.`;
    if (f.marks_left > 0) words += ` ${f.marks_left} more runs of lines are not marked.`;
    $("refused").dataset.state = "bad";
    empty.hidden = f.have > 0;
    text_of(empty, f.lost > 0 ? "nothing of it ever opened" : "nothing of this frame was handed on");
    show_picture("refused", "/refused.png", f, h, words);
  }

  /* ---- tables ---- */
  const badge = (word, good) => make("span", (good ? "\u2714 " : "\u2716 ") + word, `badge ${good ? "good" : "bad"}`);

  function row(cells) {
    const tr = make("tr");
    for (const c of cells) {
      const td = make("td");
      if (c instanceof Node) td.append(c);
      else td.textContent = c === undefined ? "" : String(c);
      tr.append(td);
    }
    return tr;
  }

  function show_events(s) {
    const key = s.events.length ? `${s.events[0].number}/${s.events[0].times}` : "";
    if (key === once.events) return;
    once.events = key;
    $("events").replaceChildren(...s.events.map((e) => {
      const refused = e.verdict !== "ok";
      let line = e.line, kind = e.kind;
      if (e.line !== undefined && e.last_line !== e.line) line = `${e.line} to ${e.last_line}`;
      if (e.times > 1) kind += `, ${count.format(e.times)} times`;
      if (e.kind === "frames lost" && e.count > 1) kind += `: ${e.count}`;
      if (e.kind === "new key") kind += `: epoch ${e.count}`;
      const replay = e.kind === "frame" && !refused;
      const verdict = refused ? badge(e.cause && e.cause !== e.verdict ? `${e.verdict}, first ${e.cause}` : e.verdict, false)
        : replay ? "" : badge("ok", true);
      const tr = row([clock(e.ms), kind, e.frame, e.data_type, line, verdict, e.meaning]);
      tr.children[2].className = "number";
      return tr;
    }));
  }

  function show_verdicts(s) {
    const key = JSON.stringify(s.verdicts);
    $("no-verdicts").hidden = s.verdicts.length > 0;
    $("verdicts-table").hidden = s.verdicts.length === 0;
    if (key === once.verdicts) return;
    once.verdicts = key;
    $("verdicts").replaceChildren(...s.verdicts.map((v) => {
      const tr = row([badge(v.verdict, false), count.format(v.count), v.meaning]);
      tr.children[1].className = "number";
      return tr;
    }));
  }

  function show_counts(s) {
    const c = s.counts, now = performance.now(), frames = c.frames_ok + c.frames_bad;
    for (const name of ["frames_ok", "frames_bad", "frames_lost"]) text(name, count.format(c[name]));
    text("messages_ok", short(c.messages_ok));
    for (const name of ["epoch", "keys"]) text(name, count.format(s[name]));
    text("proofs", count.format(s.identity_number));
    rates = rates.filter((r) => now - r.at < 3000).concat({ at: now, frames });
    const span = (now - rates[0].at) / 1000;
    text("rate", span > .5 ? ((frames - rates[0].frames) / span).toFixed(1) : "\u2013");
  }

  /* ---- who the sensor is ---- */
  async function show_identity(s) {
    if (s.identity_number === 0 || once.identity === s.identity_number) return;
    const o = await fetch_json("/identity.json");
    if (!o) return;
    once.identity = s.identity_number;
    const i = o.identity, a = o.algorithms, facts = [
      ["Device", i.device], ["Role", i.role], ["Certificate", i.subject], ["Serial number", i.serial, 1],
      ["Address", o.peer], ["SPDM", `version ${o.version}`],
      ["Algorithms", Object.entries(a).map(([k, v]) => `${k.replace("_", " ")} ${v}`).join(", ")],
      [`Chain digest, ${i.hash}`, i.chain_digest, 1], [`Root digest, ${i.hash}`, i.root_digest, 1],
      ["Leaf, SHA-256", i.leaf_sha256, 1],
    ];
    $("identity-none").hidden = true;
    $("identity").hidden = false;
    $("facts").replaceChildren(...facts.flatMap(([name, value, code]) => {
      const dd = make("dd");
      dd.append(code ? make("code", value) : value);
      return [make("dt", name), dd];
    }));
    const words = { equal: ["equal", true], different: ["different", false], missing: ["not in the reference", false] };
    $("measurements").replaceChildren(...o.measurements.map((m) => row([
      m.index, m.name || "", make("code", m.value), words[m.reference] ? badge(...words[m.reference]) : "no reference was given",
    ])));
  }

  /* ---- attacks ---- */
  const FIRST = ["pixel-bit", "line-transplanted", "line-dropped", "frame-replayed", "other-stream-disguised", "frame-stripped",
    "packet-header-bit"];

  /* Of an attack's rows the one with what is to be made right, or the last. */
  function chosen(rows) {
    const wanted = document.querySelector("input[name=repair]:checked").value;
    return rows.find((r) => r.repair === wanted) || rows[rows.length - 1];
  }

  async function attack(rows) {
    const a = chosen(rows);
    try {
      const r = await fetch(`/attack?row=${a.row}`, { method: "POST", headers: { "X-Trueline-Token": token } });
      if (!r.ok) speak("bad", `Not attacked: ${(await r.text()).trim()}`);
    } catch (e) { speak("bad", "Not attacked: the controller does not answer"); }
  }

  function button(rows) {
    const li = make("li"), b = make("button"), words = rows[0].text.split(": ")[0];
    b.type = "button";
    b.dataset.attack = rows[0].name;
    const small = make("small");
    const label = () => {
      const a = chosen(rows);
      small.textContent = a.costs_frame ? `must be refused: ${a.expected}` : a.expected === "ok" ? "must do no harm" : `must be noticed: ${a.expected}`;
    };
    b.append(make("span", words[0].toUpperCase() + words.slice(1)), small);
    b.addEventListener("click", () => attack(rows));
    for (const r of document.querySelectorAll("input[name=repair]")) r.addEventListener("change", label);
    label();
    li.append(b);
    return li;
  }

  async function show_attacks(s) {
    if (!s.token || once.attacks) return;
    const rows = await fetch_json("/attacks.json");
    if (!rows || once.attacks) return;
    once.attacks = true;
    token = s.token;
    const names = new Map();
    for (const r of rows) names.set(r.name, (names.get(r.name) || []).concat(r));
    const first = make("ul");
    first.append(...FIRST.filter((n) => names.has(n)).map((n) => button(names.get(n))));
    const groups = new Map();
    for (const list of names.values()) groups.set(list[0].group, (groups.get(list[0].group) || []).concat([list]));
    $("buttons").append(first, ...[...groups].map(([name, lists]) => {
      const d = make("details"), ul = make("ul");
      d.append(make("summary", `${name} (${lists.length})`), ul);
      ul.append(...lists.map(button));
      return d;
    }));
    $("attack").hidden = false;
  }

  function show_presses(s) {
    const list = s.presses || [], key = JSON.stringify(list);
    if (key === once.presses) return;
    once.presses = key;
    $("presses-box").hidden = list.length === 0;
    $("presses").replaceChildren(...list.map((p) => row([
      p.text, { raw: "nothing", crc16: "ECC and CRC-16", all: "ECC, CRC-16, CRC-32" }[p.repair], p.frame,
      p.expected === "ok" ? "harmless" : p.expected, p.seen === "ok" ? "verified" : p.seen,
      p.outcome === "waiting" ? "waiting" : badge(p.outcome, p.outcome === "as expected"),
    ])));
  }

  /* ---- all together ---- */
  function say(s) {
    const bad = s.events.find((e) => e.verdict !== "ok"), now = Date.now();
    if (bad && bad.number !== last_bad) { last_bad = bad.number; bad_until = now + SPEAK_MS; }
    if (s.phase === "connecting") speak("wait", "Connecting: no stream yet");
    else if (s.phase === "ended") speak("wait", "The controller has ended");
    else if (bad && now < bad_until) speak("bad", words_of(bad));
    else if (s.counts.frames_ok > 0 && s.stream && s.stream.proven === "nothing")
      speak("wait", "Frames come with right checksums; nothing of their pixels is proven");
    else if (s.counts.frames_ok > 0) speak("good", s.refused_frame || bad
      ? "Frames verify again; what was refused stands below" : "Every frame has verified");
    else speak("wait", "Connected: no frame has verified yet");
  }
  function words_of(e) {
    const where = e.line !== undefined ? `, ${e.data_type} line ${e.line}` : e.data_type ? `, ${e.data_type}` : "";
    const what = e.kind === "frames lost" ? `Frame ${e.frame} is lost` : e.frame !== undefined ? `Refused: frame ${e.frame}${where}` : `Refused: ${e.kind}`;
    return `${what}: ${e.cause || e.verdict}, ${e.meaning}`;
  }

  function show_stream(s) {
    const t = s.stream;
    text("stream", t ? `stream ${t.id}: ${t.width} \u00d7 ${t.height} RAW${t.bits}, ${t.suite}, security variants ${t.variants.join(", ")}, ` +
      `carrier ${t.carrier}, released by ${t.release}` : "waiting for a stream");
    for (const id of ["live", "refused"]) if (t) $(id).style.aspectRatio = `${t.width} / ${t.height}`;
  }

  async function turn() {
    try {
      const s = await fetch_json("/state.json");
      if (s) {
        show_stream(s);
        show_counts(s);
        show_verdicts(s);
        show_events(s);
        if (s.stream) { show_live(s); show_refused(s); }
        show_presses(s);
        say(s);
        await show_identity(s);
        await show_attacks(s);
      }
    } catch (e) {
      speak("wait", "The controller does not answer: it has ended, or is busy");
    }
    setTimeout(turn, document.hidden ? 4 * EVERY_MS : EVERY_MS);
  }
  turn();
})();
