"""Asks rust-analyzer for completions in half-typed coroutines; run by scripts/editor.sh."""

import json
import os
import queue
import subprocess
import sys
import threading

# The half-typed statement, with the cursor at `@`, and a name that the list has to contain.
SITUATIONS = [
    ("session.@", "fetch"),
    ("session.@;", "fetch"),
    ("session.fe@", "fetch"),
    ("let a = session.@;", "fetch"),
    ("yield_from!(session.@);", "fetch"),
    ("yield_from!(session.@)", "fetch"),
    ("yield_from!(session.fe@);", "fetch"),
    ("let a = yield_from!(session.@);", "fetch"),
    ("yield_from!(session.fetch(text.@));", "as_str"),
    ("yield_from!(session.fetch(&text, text.@));", "as_str"),
    ("yield_from!(@);", "session"),
    ("yield_from!(coro::@);", "sleep"),
    ("yield_from!(coro::sl@);", "sleep"),
    ('println!("{:?}", yield_from!(session.@));', "fetch"),
    ('println!("{}", session.@);', "fetch"),
    ('println!("{}", text.@);', "as_str"),
    ("if total > 1 { session.@ }", "fetch"),
    ("match total { 1 => session.@, _ => () }", "fetch"),
    ("for x in text.@ {}", "chars"),
    ("let f = |x: u32| text.@;", "as_str"),
    ("vec![1, session.@];", "fetch"),
    ('format!("{}", text.@);', "as_str"),
    ("tot@", "total"),
    ("let a = tot@;", "total"),
    ("dou@", "double"),
    ("yield_from!(dou@);", "double"),
    ("yield_from!(double(tot@));", "total"),
    ("yield_from!(double(@));", "total"),
    ("Sess@", "Session"),
    ("Session::@", "new"),
    ("Session { @ };", "count"),
    ("let Session { @ } = session;", "count"),
    ("session.count.@", "pow"),
    ("text.chars().@", "map"),
    ("return session.@;", "fetch"),
    ("yield_from!(session.fetch(&text, &text)).@", "len"),
    ("yield_from!(session.fetch(&text, &text)).le@", "len"),
    ("coro::@", "spawn"),
    ("while session.@ {}", "fetch"),
    ("let a: Sess@ = session;", "Session"),
    ("async { session.@ };", "fetch"),
]

# The form, its attribute and first line, and how many situations it has to answer.
FORMS = [
    ("plain async fn", "async fn work(session: Session, text: String, total: u32) {", 0),
    ("coroutine", "#[coro::coroutine]\nfn work(session: Session, text: String, total: u32) {", 40),
    ("send", "#[coro::coroutine(send)]\nfn work(session: Session, text: String, total: u32) {", 40),
    ("boxed", "#[coro::coroutine(boxed)]\nfn work(session: Session, text: String, total: u32) {", 40),
    (
        "yields",
        "#[coro::coroutine(yields = u32)]\nasync fn work(session: Session, text: String, total: u32) {",
        40,
    ),
    (
        "main",
        "#[coro::main]\nasync fn main() {\nlet (session, text, total) = (Session::new(), String::new(), 1u32);",
        40,
    ),
    (
        "test",
        "#[coro::test]\nasync fn works() {\nlet (session, text, total) = (Session::new(), String::new(), 1u32);",
        40,
    ),
]

BEFORE = """
use coro::yield_from;

pub struct Session { count: u32 }

impl Session {
    pub fn new() -> Session { Session { count: 0 } }
    pub async fn fetch(&self, key: &str, more: &str) -> String { format!("{key}{more}") }
}

pub async fn double(x: u32) -> u32 { 2 * x }

"""


class Server:
    """A language server, spoken to over its standard streams."""

    def __init__(self, command, folder):
        self.process = subprocess.Popen(
            [command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.folder = os.path.abspath(folder)
        self.messages = queue.Queue()
        self.last = 0
        self.version = 0
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        stream = self.process.stdout
        while header := stream.readline():
            length = 0
            while header.strip():
                if header.lower().startswith(b"content-length:"):
                    length = int(header.split(b":")[1])
                header = stream.readline()
            self.messages.put(json.loads(stream.read(length)))

    def send(self, message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def notify(self, method, params):
        self.send({"method": method, "params": params})

    def receive(self):
        """The next message; requests of the server are answered on the way."""
        message = self.messages.get(timeout=300)
        if "method" in message and "id" in message:
            count = len(message.get("params", {}).get("items", [])) or 1
            self.send({"id": message["id"], "result": [None] * count})
        return message

    def request(self, method, params):
        for _ in range(20):
            self.last += 1
            self.send({"id": self.last, "method": method, "params": params})
            while (answer := self.receive()).get("id") != self.last or "method" in answer:
                pass
            if "error" not in answer:
                return answer["result"]
        raise RuntimeError(answer["error"])

    def start(self):
        root = "file://" + self.folder
        self.request(
            "initialize",
            {
                "processId": os.getpid(),
                "rootUri": root,
                "workspaceFolders": [{"uri": root, "name": "half-typed"}],
                "capabilities": {
                    "experimental": {"serverStatusNotification": True},
                    "window": {"workDoneProgress": True},
                    "workspace": {"configuration": False},
                },
                "initializationOptions": {"checkOnSave": False, "cachePriming": {"enable": False}},
            },
        )
        self.notify("initialized", {})
        while True:
            message = self.receive()
            if message.get("method") == "experimental/serverStatus":
                if message["params"].get("quiescent"):
                    return message["params"].get("message")

    def complete(self, text):
        """The labels that are offered at the `@` of the text."""
        document, place = self.show(text)
        found = self.request(
            "textDocument/completion", {"textDocument": document, "position": place}
        )
        items = found["items"] if isinstance(found, dict) else found or []
        return [item["label"] for item in items]

    def hover(self, text):
        document, place = self.show(text)
        found = self.request("textDocument/hover", {"textDocument": document, "position": place})
        return found["contents"]["value"] if found else ""

    def signatures(self, text):
        document, place = self.show(text)
        found = self.request(
            "textDocument/signatureHelp", {"textDocument": document, "position": place}
        )
        return [one["label"] for one in found["signatures"]] if found else []

    def errors(self, text):
        document, _ = self.show(text)
        found = self.request("textDocument/diagnostic", {"textDocument": document})
        return [one["message"] for one in found["items"] if one.get("severity") == 1]

    def show(self, text):
        """Shows the server the text without its `@`; gives the place of that."""
        before = text[: text.index("@")]
        uri = f"file://{self.folder}/src/main.rs"
        self.version += 1
        text = text.replace("@", "")
        document = {"uri": uri, "version": self.version}
        if self.version == 1:
            self.notify(
                "textDocument/didOpen",
                {"textDocument": {**document, "languageId": "rust", "text": text}},
            )
        else:
            self.notify(
                "textDocument/didChange",
                {"textDocument": document, "contentChanges": [{"text": text}]},
            )
        place = {
            "line": before.count("\n"),
            "character": len(before) - before.rfind("\n") - 1,
        }
        return {"uri": uri}, place


def answers(labels, name):
    return any(label.split("(")[0].split("!")[0].strip() == name for label in labels)


def completions(server):
    failed = False
    for form, head, least in FORMS:
        unanswered = []
        for statement, name in SITUATIONS:
            if not answers(server.complete(program(head, statement)), name):
                unanswered.append(statement)
        count = len(SITUATIONS) - len(unanswered)
        failed |= count < least
        print(f"{form}: {count} of {len(SITUATIONS)}")
        for statement in unanswered:
            print(f"    {statement}")
    return failed


def program(head, statement):
    return f"{BEFORE}{head}\n    let first = 1;\n    {statement}\n}}\n"


def hovers(server):
    """Whether a hover of each attribute and macro shows its whole documentation."""
    failed = False
    for text in [
        "#[coro::corou@tine]\nfn f() {}",
        "#[coro::ma@in]\nfn main() {}",
        "#[coro::te@st]\nfn f() {}",
        "#[coro::corou@tines]\nmod m {}",
        "#[coro::coroutine]\nfn f() { coro::yield_@from!(coro::yield_now()); }",
        "fn f() { let _ = coro::gener@ator!(yields = u32, { coro::yield_!(1); }); }",
    ]:
        length = len(server.hover(text))
        failed |= length < 300
        print(f"hover of {length} letters: {text.splitlines()[-1] if 'fn f() {}' not in text else text.splitlines()[0]}")
    return failed


def additional_errors(server):
    """Whether an attribute adds an error of its own while a body or a signature is typed."""
    failed = not server.errors(program(FORMS[0][1], "let a = ;@"))  # the server gives no diagnostics
    for form, head, least in FORMS:
        for statement in ["let a = ;@", "let Some(x) = else {};@", "yield_from!(session.);@"]:
            ours = [text for text in server.errors(program(head, statement)) if "coro" in text]
            if least and ours:
                failed = True
                print(f"{form}, {statement}: {ours}")
    for typed in ["fn x(a:@", "fn x(a: &str)@", "fn x(a: &str) -> Res@", "fn x(a: Vec<@) {}"]:
        ours = [text for text in server.errors(f"#[coro::coroutine]\n{typed}\n") if "coro" in text]
        if ours:
            failed = True
            print(f"{typed}: {ours}")
    return failed


def popups(server):
    """Whether an editor shows the parameters of a function that the author did not call."""
    failed = False
    for form, head, _ in FORMS:
        shown = server.signatures(program(head, "if total > 1@ {}"))
        if shown:
            failed = True
            print(f"{form}: a popup of {shown}")
    return failed


def internals(server):
    """Whether a list offers what only expansions name."""
    failed = False
    for form, head, _ in FORMS:
        offered = server.complete(program(head, "session.@"))
        if any(label.startswith("__") for label in offered):
            failed = True
            print(f"{form}: offers {[label for label in offered if label.startswith('__')]}")
    return failed


def main():
    server = Server(sys.argv[1], sys.argv[2])
    complaint = server.start()
    if complaint:
        print(f"rust-analyzer says: {complaint}")
    checks = [hovers, additional_errors, completions, popups, internals]
    failed = [check(server) for check in checks]
    server.process.kill()
    sys.exit(any(failed))


main()
