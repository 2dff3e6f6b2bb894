// Signatures on messages, right and wrong, and what bip322-js says of each: one JSON object a line, on standard output.
// Everything follows from the texts below, so two runs write the same bytes.
import { createHash } from 'node:crypto';
import * as bitcoin from 'bitcoinjs-lib';
import * as bip322 from 'bip322-js';
import eccModule from '@bitcoinerlab/secp256k1';

const ecc = eccModule.default ?? eccModule;
bitcoin.initEccLib(ecc);
const { Verifier, BIP322 } = bip322.default ?? bip322;
const { Transaction } = bitcoin;

const sha256 = (bytes) => createHash('sha256').update(bytes).digest();
const NETWORKS = { mainnet: bitcoin.networks.bitcoin, testnet: bitcoin.networks.testnet };
const KINDS = ['p2pkh', 'p2sh-p2wpkh', 'p2wpkh', 'p2tr'];
const ORDER = Buffer.from('fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141', 'hex');
const ZERO = Buffer.alloc(32);
const CHALLENGE = [
    'api.example.com wants you to sign in with your Bitcoin address:', 'bc1qexample', '',
    'Sign in to the CoinLink account this address is linked to.', 'This is no transaction and costs nothing.', '',
    'URI: https://api.example.com', 'Network: mainnet', 'Nonce: abababababababababababababababab',
    'Issued At: 2026-01-01T12:00:00Z', 'Expires At: 2026-01-01T12:05:00Z',
].join('\n');
const MESSAGES = ['', 'Hello World', 'öäü 测试 \u{1F604}', CHALLENGE];

const key = (name) => sha256(`coinlink wallet ${name}`);
const publicKey = (secret, compressed = true) => Buffer.from(ecc.pointFromScalar(secret, compressed));
const minus = (a, b) => {
    const difference = BigInt(`0x${a.toString('hex')}`) - BigInt(`0x${b.toString('hex')}`);
    return Buffer.from(difference.toString(16).padStart(64, '0'), 'hex');
};

function addressOf(kind, secret, network, compressed = true) {
    const pubkey = publicKey(secret, compressed);
    const { payments } = bitcoin;
    switch (kind) {
        case 'p2pkh': return payments.p2pkh({ pubkey, network }).address;
        case 'p2wpkh': return payments.p2wpkh({ pubkey, network }).address;
        case 'p2sh-p2wpkh': return payments.p2sh({ redeem: payments.p2wpkh({ pubkey, network }), network }).address;
        default: return payments.p2tr({ internalPubkey: pubkey.subarray(1), network }).address;
    }
}

// The hash of BIP-137, which has no tag and no transaction.
function bip137Hash(message) {
    const text = Buffer.from(message, 'utf8');
    const size = text.length < 0xfd ? Buffer.from([text.length]) : Buffer.from([0xfd, text.length & 0xff, text.length >> 8]);
    return sha256(sha256(Buffer.concat([Buffer.from('\u0018Bitcoin Signed Message:\n'), size, text])));
}

function bip137(secret, message, header) {
    const { signature, recoveryId } = ecc.signRecoverable(bip137Hash(message), secret);
    return Buffer.concat([Buffer.from([header + recoveryId]), Buffer.from(signature)]);
}

function toSign(address, message, network) {
    const script = bitcoin.address.toOutputScript(address, network);
    const spend = BIP322.buildToSpendTx(message, script);
    const transaction = new Transaction();
    transaction.version = 0;
    transaction.addInput(Buffer.from(spend.getId(), 'hex').reverse(), 0, 0);
    transaction.addOutput(Buffer.from([0x6a]), 0);
    return { transaction, script };
}

function integer(bytes) {
    let trimmed = bytes;
    while (trimmed.length > 1 && trimmed[0] === 0 && trimmed[1] < 0x80) trimmed = trimmed.subarray(1);
    if (trimmed[0] >= 0x80) trimmed = Buffer.concat([Buffer.from([0]), trimmed]);
    return Buffer.concat([Buffer.from([2, trimmed.length]), trimmed]);
}

function der(r, s, padding = 0) {
    const first = integer(r);
    const padded = padding
        ? Buffer.concat([Buffer.from([2, first[1] + padding]), Buffer.alloc(padding), first.subarray(2)])
        : first;
    const body = Buffer.concat([padded, integer(s)]);
    return Buffer.concat([Buffer.from([0x30, body.length]), body]);
}

const stack = (...items) => Buffer.concat([
    Buffer.from([items.length]), ...items.flatMap((item) => [Buffer.from([item.length]), item]),
]);

// Signatures of one address on one message, by name: what is to be said of each follows from the BIPs.
function bip322Witnesses(kind, secret, address, message, network) {
    const { transaction, script } = toSign(address, message, network);
    if (kind === 'p2tr') {
        const internal = publicKey(secret);
        const even = internal[0] === 2 ? secret : Buffer.from(ecc.privateNegate(secret));
        const tweaked = Buffer.from(ecc.privateAdd(even, bitcoin.crypto.taggedHash('TapTweak', internal.subarray(1))));
        const signed = (type) => Buffer.from(
            ecc.signSchnorr(transaction.hashForWitnessV1(0, [script], [0], type), tweaked, ZERO),
        );
        const [byDefault, all, none] = [signed(0), signed(1), signed(2)];
        const flipped = (bytes, at) => { const copy = Buffer.from(bytes); copy[at] ^= 1; return copy; };
        const ending = (bytes, type) => Buffer.concat([bytes, Buffer.from([type])]);
        return {
            default: stack(byDefault),
            all: stack(ending(all, 1)),
            'default spelt out': stack(ending(byDefault, 0)),
            'default called all': stack(ending(byDefault, 1)),
            'all called default': stack(all),
            none: stack(ending(none, 2)),
            'anyone can pay': stack(ending(signed(0x81), 0x81)),
            'r flipped': stack(flipped(byDefault, 5)),
            's flipped': stack(flipped(byDefault, 40)),
            's too large': stack(Buffer.concat([byDefault.subarray(0, 32), ORDER])),
            short: stack(byDefault.subarray(0, 63)),
            annex: stack(byDefault, Buffer.from([0x50])),
            'no item': stack(),
            'empty item': stack(Buffer.alloc(0)),
            'a byte too many': Buffer.concat([stack(byDefault), Buffer.from([0])]),
            'a byte too few': stack(byDefault).subarray(0, 65),
        };
    }
    const pubkey = publicKey(secret);
    const code = bitcoin.payments.p2pkh({ hash: bitcoin.crypto.hash160(pubkey) }).output;
    const signed = (type) => Buffer.from(ecc.sign(transaction.hashForWitnessV0(0, code, 0, type), secret));
    const all = signed(1);
    const [r, s] = [all.subarray(0, 32), all.subarray(32)];
    const item = (bytes, type = 1) => Buffer.concat([bytes, Buffer.from([type])]);
    const strict = item(der(r, s));
    const split = (bytes) => der(bytes.subarray(0, 32), bytes.subarray(32));
    const flipped = (bytes, at) => { const copy = Buffer.from(bytes); copy[at] ^= 1; return copy; };
    return {
        all: stack(strict, pubkey),
        'called none': stack(item(der(r, s), 2), pubkey),
        'called default': stack(item(der(r, s), 0), pubkey),
        none: stack(item(split(signed(2)), 2), pubkey),
        'anyone can pay': stack(item(split(signed(0x81)), 0x81), pubkey),
        'high s': stack(item(der(r, minus(ORDER, s))), pubkey),
        'r padded': stack(item(der(r, s, 1)), pubkey),
        'length too large': stack(item(Buffer.concat([Buffer.from([0x30, der(r, s).length]), der(r, s).subarray(2)])), pubkey),
        'compact in place of der': stack(item(all), pubkey),
        'r flipped': stack(item(der(flipped(r, 9), s)), pubkey),
        's flipped': stack(item(der(r, flipped(s, 30))), pubkey),
        'r zero': stack(item(der(ZERO, s)), pubkey),
        's zero': stack(item(der(r, ZERO)), pubkey),
        'no type': stack(der(r, s), pubkey),
        'empty signature': stack(Buffer.alloc(0), pubkey),
        'another key': stack(strict, publicKey(key('nobody'))),
        'uncompressed key': stack(strict, publicKey(secret, false)),
        'no key': stack(strict),
        'an item too many': stack(strict, pubkey, Buffer.alloc(0)),
        'no item': stack(),
        'a byte too many': Buffer.concat([stack(strict, pubkey), Buffer.from([0])]),
        'a byte too few': stack(strict, pubkey).subarray(0, -1),
    };
}

function said(address, message, signature, strict) {
    try {
        return Verifier.verifySignature(address, message, signature, strict) ? 'right' : 'wrong';
    } catch {
        return 'error';
    }
}

function tell(network, kind, name, address, message, signature) {
    const verdicts = { strict: said(address, message, signature, true), lenient: said(address, message, signature, false) };
    process.stdout.write(`${JSON.stringify({ network, kind, name, address, message, signature, ...verdicts })}\n`);
}

// The same bytes in other texts.
function spellings(bytes) {
    const text = bytes.toString('base64');
    return {
        'space before': ` ${text}`,
        'line feed after': `${text}\n`,
        'line feed within': `${text.slice(0, 40)}\n${text.slice(40)}`,
        'url alphabet': text.replaceAll('+', '-').replaceAll('/', '_'),
        'no padding': text.replaceAll('=', ''),
        'more padding': `${text}=`,
        'an asterisk': `${text.slice(0, 40)}*${text.slice(40)}`,
        hexadecimal: bytes.toString('hex'),
        'prefix ful': `ful${text}`,
        'prefix pof': `pof${text}`,
        'prefix SMP': `SMP${text}`,
    };
}

// The same signature with another message or address.
function elsewhere(kind, secret, network, message) {
    const net = NETWORKS[network];
    const other = network === 'mainnet' ? 'testnet' : 'mainnet';
    const same = addressOf(kind, secret, net);
    const of = (address) => ({ address, message });
    return {
        'message longer': { address: same, message: `${message} ` },
        'message in another case': { address: same, message: `x${message}`.toUpperCase() },
        'address of another key': of(addressOf(kind, key('nobody'), net)),
        'address of another network': of(addressOf(kind, secret, NETWORKS[other])),
        ...Object.fromEntries(KINDS.filter((other) => other !== kind)
            .map((other) => [`address of kind ${other}`, of(addressOf(other, secret, net))])),
    };
}

for (const [network, net] of Object.entries(NETWORKS)) {
    for (const kind of KINDS) {
        const secret = key(`${network} ${kind}`);
        for (const [at, message] of MESSAGES.entries()) {
            const full = at === 1;
            // BIP-137: every header for every kind of address; keys with and without compression for P2PKH.
            for (const compressed of kind === 'p2pkh' ? [true, false] : [true]) {
                const address = addressOf(kind, secret, net, compressed);
                const name = (what) => `bip137 ${compressed ? '' : 'uncompressed '}${what}`;
                for (const header of [27, 31, 35, 39]) {
                    tell(network, kind, name(`header ${header}`), address, message, bip137(secret, message, header).toString('base64'));
                }
                if (!full) continue;
                const header = { p2pkh: compressed ? 31 : 27, 'p2sh-p2wpkh': 35, p2wpkh: 39, p2tr: 39 }[kind];
                const right = bip137(secret, message, header);
                const [r, s] = [right.subarray(1, 33), right.subarray(33)];
                const made = (first, ...rest) => Buffer.concat([Buffer.from([first]), ...rest]);
                const flipped = (bytes) => { const copy = Buffer.from(bytes); copy[13] ^= 4; return copy; };
                for (let recovery = 1; recovery < 4; recovery += 1) {
                    const id = header + (((right[0] - header) + recovery) & 3);
                    tell(network, kind, name(`recovery id +${recovery}`), address, message, made(id, r, s).toString('base64'));
                }
                for (const first of [0, 26, 43, 46, 47, 128, 255]) {
                    tell(network, kind, name(`header byte ${first}`), address, message, made(first, r, s).toString('base64'));
                }
                for (const [what, bytes] of Object.entries({
                    'high s': made(header + ((right[0] - header) ^ 1), r, minus(ORDER, s)),
                    'r flipped': made(right[0], flipped(r), s), 's flipped': made(right[0], r, flipped(s)),
                    'r zero': made(right[0], ZERO, s), 's zero': made(right[0], r, ZERO),
                    'r too large': made(right[0], ORDER, s), 's too large': made(right[0], r, ORDER),
                    'all zero': Buffer.alloc(65), 'a byte too few': right.subarray(0, 64),
                    'a byte too many': Buffer.concat([right, Buffer.from([0])]),
                })) tell(network, kind, name(what), address, message, bytes.toString('base64'));
                for (const [what, text] of Object.entries(spellings(right))) tell(network, kind, name(what), address, message, text);
                tell(network, kind, name('prefix smp'), address, message, `smp${right.toString('base64')}`);
                for (const [what, to] of Object.entries(elsewhere(kind, secret, network, message))) {
                    tell(network, kind, name(what), to.address, to.message, right.toString('base64'));
                }
            }
            // BIP-322.
            const address = addressOf(kind, secret, net);
            const witnesses = bip322Witnesses(kind, secret, address, message, net);
            const first = kind === 'p2tr' ? 'default' : 'all';
            for (const [what, bytes] of Object.entries(witnesses)) {
                if (full || what === first) tell(network, kind, `bip322 ${what}`, address, message, bytes.toString('base64'));
            }
            tell(network, kind, 'bip322 prefix smp', address, message, `smp${witnesses[first].toString('base64')}`);
            if (!full) continue;
            for (const [what, text] of Object.entries(spellings(witnesses[first]))) tell(network, kind, `bip322 ${what}`, address, message, text);
            for (const [what, to] of Object.entries(elsewhere(kind, secret, network, message))) {
                tell(network, kind, `bip322 ${what}`, to.address, to.message, witnesses[first].toString('base64'));
            }
        }
    }
}
for (const [what, text] of Object.entries({ nothing: '', 'a space': ' ', 'no base64': 'not base64!', 'one byte': 'AA==', zeros: 'A'.repeat(88), long: 'A'.repeat(1200) })) {
    for (const kind of KINDS) tell('mainnet', kind, `neither ${what}`, addressOf(kind, key(`mainnet ${kind}`), NETWORKS.mainnet), 'Hello World', text);
}
