"""Real corpora: a pinned address, a checksum, a cache and a bar for each; or a folder that holds them.

Nothing is downloaded unless a reader asks. ``ATTNBOOK_DATA`` names a folder with the files already in
it, at the paths of :data:`CORPORA`; then no network is needed.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from platformdirs import user_cache_path

from attnbook.extras import needs

CACHE = Path(os.environ.get("ATTNBOOK_CACHE") or user_cache_path("attnbook"))


@dataclass(frozen=True)
class RemoteFile:
    """One file of a corpus: where it lies in a data folder, its pinned address and its SHA-256.

    An address of None says that no public copy is pinned: the file has to be put in place by hand.
    """

    path: str
    url: str | None
    sha256: str
    also: tuple[str, ...] = ()  # checksums of other copies that hold the same text


@dataclass(frozen=True)
class Corpus:
    """A corpus: its files, what it is, and whom to cite."""

    name: str
    about: str
    licence: str
    files: tuple[RemoteFile, ...]


def _github(repository: str, commit: str, path: str) -> str:
    return f"https://raw.githubusercontent.com/{repository}/{commit}/{quote(path)}"


_UCI = ("Shubhammawa/Sentiment-analysis-cnn", "9333507ab628e7b7664fddc4c5e8ab8bcebc5786")

_OSIE = ("NUS-VIP/predicting-human-gaze-beyond-pixels", "63223a0dba3b521861cb7f356ad13400ef4b3d03")
_OSIE_PHOTOGRAPHS = {  # every twelfth of the 700
    "1007": "507e29684faae427a21931e106be9ee95f85fa36fddb822a9201fde2cb8e49f6",
    "1019": "9c4f2b719e204feaf4a404175b44f70108cdeba3a984a05499ff54e8b636cd16",
    "1031": "2a690d83e319fd8c2a3d16895db7bb9d3c4430cc49b6d12f8842d97397dbd9ac",
    "1043": "fd983c21a933159189cdcd4885cfa6f1e2802895ee174fb0a1476cbd2dff0ff8",
    "1055": "f4a6a12fe533d671c202e08c0898ed208d8c3a67f5fe1e4e43b4a157d6f51609",
    "1067": "ba5526f6b969e911b00577ceb781fe1ad9a89d74469f23e97fcd233a6d4bdf5d",
    "1079": "41ec0155530f589f8dbba3f5ab1e751ee0e00ab082860aa4d006192fe8daa11f",
    "1091": "ba7b1a0c99b3ee9f34b85eaaf773d33c4d805e6e6564cff291b4bc62d4dfec34",
    "1103": "20367790834ba6de0d85cb527ca538af8c268566203052a82b7eb44e97554f06",
    "1115": "55ff542a026168c62a376c81f553476daf389ee9574accaa6da32c15d24f83af",
    "1127": "cbc7efd66c49a78f0f41ce2f3b821c55b2fd97725a6e84d2e056b64d3b824916",
    "1139": "5381bea283f317017b96303e695a94274beb96abcd2fe12b0bd7d5af1833165c",
    "1151": "e6a00674d00b9cadd6231e1038dd21f7d4b70dbbf86f65292e9303f5ebd3d818",
    "1163": "f69a74151627486c4e25bd910fac5ef8399e915a2f5cb6adb47eb2aef677568c",
    "1175": "15adee2e750c0604991283d2d7ff18adc90afcc14891b9797344953994c1362e",
    "1187": "9019907f8d39e7261b0f1910e30240a8912fe042854e5eda9a9bf6cb0ca7e5e9",
    "1199": "acf4e93286d7946bfbf24207134bf4d71823412329e19ed0ed883a1783c12aef",
    "1211": "1b59493c6d09869e1871c4a088ae9b079faca4027f74269aef05cf5e80c9c992",
    "1223": "c9140ecd98fa7d63faba8f6f6fedf7fdcf859391f97c46c48eb8bc1af504229c",
    "1235": "bdce3b48981e1794e90fc7b579be3e37b46a001d95a4e9cbafb7543738016cb2",
    "1247": "d05a6157b01dff183a038bb27db4690acd5137aa6a3902c51325f9d9513b6cb6",
    "1259": "34e59367b6641360066cf9eb86dcee2ba322d8cb139ed40bdf85468372629318",
    "1271": "2cdcb2122c9bc91e9716d82a66861454363341b26cb750e6a515045beaa2d079",
    "1283": "158567d193fc2b1cc21ea3685ac001ab4e6e07992d5a91e3b8aad736124482d5",
    "1295": "fd81a01c13054a71d3dcdd021456dfb5a49e4705510d226ca1b6dcd9670fd186",
    "1307": "4b622ef5e6796a9fc9c05b0c5c5d87ecff76a947c73500cda5596094cadd3240",
    "1319": "6b85ca8c8e16c7b1e0de00485ad761e3c216804af7a6543a505933acbbc5f10d",
    "1331": "f6843c95da7e1a169125bb4193ebad065b58fbb04766fa9827920ba5d67c2af9",
    "1343": "b989567fd0acdfb2d28111a437c76106a09a135b2c99fdfaaec32690ce99082a",
    "1355": "45bf40816b09550493a0e99260c4a45838ef27390296788f19195b1757201158",
    "1367": "4c4dc63ad3b54126c55d3ab287dec33048b45c073c1d96cbdd0120d8e0c465c4",
    "1379": "5b93be11ab64ebf77003879e960c429138d370157b7c48e9aee631aafba9a106",
    "1391": "27c3b41aac13867624de0cf925bd96deea04e21398fa319905af9544195fd9b1",
    "1403": "bac642ed7bfe05595f4c24850f8c74814f2a04b3160ae3cbab0bb3c8e8845fa1",
    "1415": "6bae6af34a3e890656a9c70bea9e81a2583c3a5c0fc2aac34680713498178950",
    "1427": "5f66b395088f5b4d6c3a1003b07dd5ad6c3ec2fba806a2eac0f11cd57da999cb",
    "1439": "43621e203ab1d292ce2ecfed6cfab672f4e70a1e39242d1095c1cd4f4ce753ab",
    "1451": "a808de2dd069864a6fe818dc4a43b916096cf9553b0de7fe53306026bcd36a02",
    "1463": "1e14b00cc1fe982b831b6adcdfb8cd4aa4e58cee3cfd22871c3644cedeb631a3",
    "1475": "eda1464d18da7e6dcbd1261db3539443f193f6feae6491a753d7983fff291842",
    "1487": "8f8bd4107a7a323deec61b0c9cc7b295a322a236afed20e15310d694005b4d2f",
    "1499": "79c96b1f178e96302055d7fbcbba97bb018a09e13f59b884d1a0bf6a0a7d0e78",
    "1511": "4a7c59a99c961037522bf429d7c6dd7335e1234a32fcd60aacddb4d816f36a0a",
    "1523": "033b7ff38a6055724f1ae75a6f0eb2f32f0e9e23e39099fd2577290af48c7b30",
    "1535": "c4e05bfcadce851fd77b4c2a2b9f2550d52a85060ea857286322a842dc20190f",
    "1547": "cb3edf28d9174483f3d35b40d277489d6b8415499e5fd669ec66ea0ce249673a",
    "1559": "bbff94485b563187491c75d3698bfc7497e7c7e43a67792bf1919ccb31264439",
    "1571": "ff9bd5b8b7a8cb6fcf4fafc6f72f7a1b5a44671d71f257f4b53934b660687fe0",
    "1583": "80c961037eea44dc0c2a2805a1e3c21442f8ab4f495d8cd34cf41d990453580b",
    "1595": "3417ce891e5ae52349881505c9a885d6a6ed26624295453d309ccd45713c2734",
    "1607": "8c69cdb7c9535e5063d6f0f8191f204a7d3cf0d55d2057cd6c00e40ac21d3701",
    "1619": "bb863980e96500f8ad1d39ef0fad18a4a5feebbce43a86946c5cc846183aad9a",
    "1631": "4d396d7be90735ceffcf6781784409e28da3ae2d9e95c04c64d3453cea75d7a3",
    "1643": "8f24f16e73b474fc974afe37427fdfefcb248f80b54a11ade056d90957901064",
    "1655": "7ff1a9f5ade039b81c4792080461f94ab28ec398dfee043d296d581ac3f5b45c",
    "1667": "2dcfa3aef30723c26252665346fcedce9465f2f54ac5ecaa1d80e48984b15aab",
    "1679": "1eef7a12e266a891dd53248d38e6199425a2542abcb039ef617f172256a5e875",
    "1691": "4b18106dab59ec6fb6e313cd2b2862a7225502bcef7368de12dfab38c04fe306",
}

CORPORA = {
    corpus.name: corpus
    for corpus in (
        Corpus(
            "tatoeba",
            "142,787 English-French sentence pairs, version of 2017-09-29",
            "CC BY 2.0 FR; tatoeba.org, collected by manythings.org/anki",
            (
                RemoteFile(
                    "tatoeba_fra_eng/fra-eng_2017-09-29.zip",
                    _github("genimind/seq2seq", "4f3f8eb0adde54fcc8b89394336b002e7961244c", "fra-eng.zip"),
                    "16c4f7d0df9e7c5e6c54cdb0447f3f4a18a55052ff5e2e0b27dd4a06c0e49d04",
                ),
            ),
        ),
        Corpus(
            "uci_sentiment",
            "3 x 1,000 labelled sentences from Amazon, IMDb and Yelp",
            "cite Kotzias et al., KDD 2015 (UCI Sentiment Labelled Sentences)",
            (
                RemoteFile(
                    "uci_sentiment/amazon_cells_labelled.txt",
                    _github(*_UCI, "sentiment labelled sentences/amazon_cells_labelled.txt"),
                    "47003fc0a0d4840b00e96e715b6189bad09e7443a3da41c4cbe12ffc79f86ae3",
                ),
                RemoteFile(
                    "uci_sentiment/imdb_labelled.txt",
                    _github(*_UCI, "sentiment labelled sentences/imdb_labelled.txt"),
                    "a5851cfed830b68d4b18fa11f7e9fa85debee7566be0933c9a679ce747c86d67",
                    # A copy that places the quotation marks of three sentences otherwise.
                    also=("aef2e49e3da25714d61175e3a6e68eeef74a20a2f914318dc3be9947ea86512d",),
                ),
                RemoteFile(
                    "uci_sentiment/yelp_labelled.txt",
                    _github(*_UCI, "sentiment labelled sentences/yelp_labelled.txt"),
                    "c76468b7b5c6e56a0804d728345c5f84aa2142ddb214420f61cc9cfd4c00d2ea",
                ),
            ),
        ),
        Corpus(
            "hansards",
            "gold word alignments of 37 + 223 English-French sentence pairs (NAACL 2003 shared task)",
            "cite Och & Ney 2003; Mihalcea & Pedersen 2003",
            (
                RemoteFile(
                    "hansards_align/dev.en",
                    None,
                    "56a871f16eafc2b44f9ba5942a636e2949baf288f228561f1889d821c04398d0",
                ),
                RemoteFile(
                    "hansards_align/dev.fr",
                    None,
                    "fb337c8e86297a538ebe533f9d283dc6e186961ab9ca032257bc1c1769f71b6e",
                ),
                RemoteFile(
                    "hansards_align/dev.wa",
                    None,
                    "1c04fe099aa83c1ef0fd1044547e34684618f2362e20da8dca3d94cb3b096f74",
                ),
                RemoteFile(
                    "hansards_align/test.en",
                    None,
                    "973e874eef4a59ff4f3f0a5212022b87f439d8833db2f2bd30fbf3257184ef79",
                ),
                RemoteFile(
                    "hansards_align/test.fr",
                    None,
                    "6194c526600ec1b6899f5a85872d2ce71c74cfb48168f86284df31649fb0e17c",
                ),
                RemoteFile(
                    "hansards_align/test.wa",
                    None,
                    "0238b5c8c14e3866ba7d274ce4848fd427ce5e0f5318b665f03556d3b33d3aec",
                ),
            ),
        ),
        Corpus(
            "tinyshakespeare",
            "1,115,394 characters of Shakespeare",
            "public domain",
            (
                RemoteFile(
                    "tinyshakespeare/input.txt",
                    _github(
                        "karpathy/char-rnn",
                        "d1d7aa34fdb3626174bce1d753e6cc6845ce7087",
                        "data/tinyshakespeare/input.txt",
                    ),
                    "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
                ),
            ),
        ),
        Corpus(
            "osie",
            "58 photographs, and the eye fixations of 15 viewers on 700",
            "MIT; Xu et al. 2014, NUS Visual Information Processing Lab",
            (
                RemoteFile(
                    "osie/fixations.mat",
                    _github(*_OSIE, "data/eye/fixations.mat"),
                    "2aab9133a407e4eff3f57ab5799872b162dbc77ca462c0391762eb5e67deadb9",
                ),
                *(
                    RemoteFile(
                        f"osie/stimuli/{number}.jpg", _github(*_OSIE, f"data/stimuli/{number}.jpg"), digest
                    )
                    for number, digest in _OSIE_PHOTOGRAPHS.items()
                ),
            ),
        ),
    )
}


def corpus(name: str) -> Corpus:
    """The corpus of that name.

    Raises
    ------
    ValueError
        If there is none; the sentence lists the names.
    """
    if name not in CORPORA:
        raise ValueError(f"name: no corpus {name!r}; choose one of {', '.join(sorted(CORPORA))}")
    return CORPORA[name]


def _check(path: Path, file: RemoteFile) -> None:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest not in (file.sha256, *file.also):
        raise ValueError(
            f"{path}: its SHA-256 is {digest[:12]}…, expected {file.sha256[:12]}…; "
            "the file is damaged or another version: delete it and fetch again"
        )


def fetch(name: str) -> Path:
    """Bring a corpus to this machine, or find it there.

    Parameters
    ----------
    name : str
        A key of :data:`CORPORA`, such as ``"tatoeba"``.

    Returns
    -------
    pathlib.Path
        The corpus's one file, or the folder that holds its files.

    Raises
    ------
    ValueError
        If the name is unknown, or a file's checksum differs.
    FileNotFoundError
        If a file can neither be found nor downloaded: one line that names it and the folder to put it in.
    """
    wanted = corpus(name)
    paths = [_local(file) or _download(file) for file in wanted.files]
    return paths[0] if len(paths) == 1 else paths[0].parent


def _local(file: RemoteFile) -> Path | None:
    folder = os.environ.get("ATTNBOOK_DATA")
    if not folder:
        return None
    path = Path(folder) / file.path
    if not path.exists():
        return None
    _check(path, file)
    return path


def _download(file: RemoteFile) -> Path:
    target = CACHE / file.path
    if target.exists():
        _check(target, file)
        return target
    where = f"put it at {target}, or name a folder that holds {file.path} in ATTNBOOK_DATA"
    if file.url is None:
        raise FileNotFoundError(f"{file.path}: not here, and no public address of it is known; {where}")
    with needs("experiments"):
        import pooch
    try:
        found = pooch.retrieve(
            url=file.url,
            known_hash=f"sha256:{file.sha256}",
            fname=target.name,
            path=target.parent,
            progressbar=os.environ.get("TQDM_DISABLE") != "1",
        )
    except ValueError as error:  # pooch's own words for a checksum that differs
        raise ValueError(f"{file.path}: what {file.url} sent has another checksum ({error})") from None
    except Exception as error:
        raise FileNotFoundError(
            f"{file.path}: not here, and it could not be downloaded ({type(error).__name__}); {where}"
        ) from None
    return Path(found)
