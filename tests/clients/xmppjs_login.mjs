// Logs in with xmpp.js as often as it is told, keeping the token, and says what it has seen:
// lines of JSON on the standard output. Arguments: port, number of logins.
import { client, xml } from "@xmpp/client";

const [port, times] = process.argv.slice(2);
const agent = xml("user-agent", { id: "d4565fa7-4d72-4749-b3d3-740edbf87770" }, [
	xml("software", {}, "xmpp.js"),
]);
let token = null;

function say(what, value) {
	console.log(JSON.stringify([what, value]));
}

async function login(first) {
	const xmpp = client({
		service: `xmpp://127.0.0.1:${port}`, domain: "localhost", resource: "Phone",
		username: "juliet", password: first ? "secret" : "not the password", userAgent: agent,
	});
	xmpp.fast.saveToken = async (given) => { token = given; };
	xmpp.fast.fetchToken = async () => token;
	xmpp.fast.deleteToken = async () => { token = null; };
	xmpp.reconnect.stop();
	xmpp.on("error", (error) => say("error", String(error)));
	xmpp.on("send", (element) => {
		if (element.is("authenticate")) say("mechanism", element.attrs.mechanism);
	});
	xmpp.on("nonza", (element) => {
		if (element.is("success")) say("success", element.children.map((child) => child.name));
	});
	const address = await xmpp.start();
	say("jid", String(address));
	const answer = await xmpp.iqCaller.get(xml("ping", "urn:xmpp:ping"), "localhost");
	say("ping", answer === undefined ? "answered" : String(answer));
	await xmpp.stop();
}

for (let n = 0; n < Number(times); n++) await login(n === 0);
process.exit(0);
