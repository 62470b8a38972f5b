# ruff: noqa: E501 - a table is read by its columns
"""The words of the phrasebook: tables of English words with their French forms.

Each table is plain text, one entry a line, so that a reader can check the French without reading code.
The first column is the level: 1 = in every subset, 2 = in "medium" and "full", 3 = in "full" alone.

Noun classes say what may be done with a thing and what may be said of it. One letter each; a noun has several.

====  ============================================  ====  ============================================
p     person                                        M     person of whom one says "small"
q     person who signs laws                         r     person whom somebody has: friend, sister
a     animal                                        y     kept or sold: dog, book, house
f     food                                          e     food that animals eat
t     thing to carry                                c     thing to wear
v     vehicle                                       u     furniture
k     tree                                          b     thing to open
d     text to read                                  w     text to write
s     text that anybody may sign                    z     text that an institution writes
g     law, agreement, treaty                        T     text that can be "on" a topic
j     song                                          o     topic
l     place that one can be in                      x     place where animals are
m     place that one can be at                      i     building or room
h     path that one can cross                       n     name, such as "European Union"
N     name of an institution that acts              Z     name of a region
D     gets dry                                      A     comes in red and green, to eat
H     eaten hot or cold                             B     built or planted, so old or new
K     owned, and not sold                           O     can be "of the European Union"
====  ============================================  ====  ============================================
"""

from dataclasses import dataclass

VOWELS = "aàâäeéèêëiîïoôöuùûüyœæ"


@dataclass(frozen=True)
class Noun:
    level: int
    classes: str
    gender: str  # "m" or "f"
    singular: str
    plural: str | None  # None: never counted (mass or unique)
    french: str
    french_plural: str | None
    aspirated: bool = False  # h aspiré: no elision before it ("le héros")


@dataclass(frozen=True)
class Adjective:
    level: int
    kind: str  # pre: before the noun in French; post: after it; nat: nationality; rel: relational
    dimension: str  # what it is a value of: two adjectives of one dimension repeat or contradict each other
    word: str
    forms: tuple[str, str, str, str]  # masculine, feminine, masculine plural, feminine plural
    classes: str  # the noun classes that it can describe
    predicate: str  # the noun classes of which "is …" can say it
    before_vowel: str | None = None  # masculine singular before a vowel: bel, nouvel, vieil


@dataclass(frozen=True)
class Verb:
    level: int
    kind: str  # trans, intrans, reflexive, give (object + to + person), modal, say
    base: str
    third: str
    past: str
    participle: str
    ing: str
    particle: str  # English word after the verb that French does not have: wait *for*
    preposition: str  # French word before the object that English does not have: répondre *à*
    infinitive: str
    present: tuple[str, str, str, str, str]  # je, tu, il/elle, nous, ils/elles
    past_participle: str
    future: str  # stem: aimer-
    auxiliary: str  # avoir or être
    frames: tuple[tuple[str, str], ...]  # (noun classes of subjects, of their objects)
    adjuncts: str  # what may follow: i in, z in a region, n near, b behind, a at, w with
    passive: bool

    def objects_of(self, classes: str) -> str:
        """Noun classes of what somebody of these classes may do it to."""
        return "".join(objects for subjects, objects in self.frames if set(subjects) & set(classes))


# level classes gender English plural French plural; "+" = regular plural, "-" = none, trailing h = h aspiré
_NOUNS = """
1 pM m man men homme +
1 pM f woman women femme +
1 pM m boy + garçon +
1 pM f girl + fille +
1 pMr m child children enfant +
1 pr m teacher + professeur +
1 pq m king + roi +
1 pq f queen + reine +
1 pr m friend + ami +
1 pr m doctor + médecin +
1 pqO m minister + ministre +
2 pr m student + étudiant +
2 pr m neighbour + voisin +
2 pr f sister + sœur +
2 pr m brother + frère +
2 pr f nurse + infirmière +
2 pqO m president + président +
3 p m writer + écrivain +
3 p m hero heroes héros héros h
3 p f actress actresses actrice +
3 pr m lawyer + avocat +
3 p m farmer + fermier +
3 pr f mother + mère +
3 pr m father + père +
3 pr m uncle + oncle +
3 pr f aunt + tante +
3 p m worker + ouvrier +
1 a m animal + animal animaux
1 ay m dog + chien +
1 ay m cat + chat +
1 ay m horse + cheval chevaux
1 ay f cow + vache +
2 ay m bird + oiseau oiseaux
2 a f mouse mice souris souris
2 ay f goat + chèvre +
3 a m owl + hibou hiboux h
3 a f bee + abeille +
3 a m fox foxes renard +
3 a m wolf wolves loup +
3 ay f hen + poule +
1 v f car + voiture +
1 k m tree + arbre +
1 t f picture + image +
1 c m hat + chapeau chapeaux
2 t f key + clé +
2 u f chair + chaise +
2 u f table + table +
2 tb m umbrella + parapluie +
2 v m boat + bateau bateaux
3 tb m bag + sac +
3 tb f box boxes boîte +
3 t f clock + horloge +
3 t m tool + outil +
3 c m coat + manteau manteaux
3 t m glass glasses verre +
3 v m plane + avion +
3 c f shirt + chemise +
1 feA f apple + pomme +
1 fD m cake + gâteau gâteaux
1 feD m bread - pain -
2 fH f soup - soupe -
2 fH m egg + œuf +
2 fe m cheese - fromage -
3 f f orange + orange +
3 feHD f meat - viande -
3 f m bean + haricot + h
3 f m onion + oignon +
2 feH f carrot + carotte +
1 gTO m agreement + accord +
1 dwybT m book + livre +
1 dwsb f letter + lettre +
1 dwszTO m report + rapport +
1 gTO f law + loi +
2 dy m newspaper + journal journaux
2 dw f story stories histoire +
2 gTO m treaty treaties traité +
2 dw f answer + réponse +
3 dw m poem + poème +
3 dwzT m article + article +
3 dw m message + message +
3 wj f song + chanson +
1 lxiby f house + maison +
1 lmib f school + école +
1 lmib m hotel + hôtel +
1 lxKB m garden + jardin +
2 lmB f station + gare +
2 lmB m market + marché +
2 lxBD f forest + forêt +
2 lxB m village + village +
2 lmib f church churches église +
3 lmib m museum + musée +
3 lmi m hospital + hôpital hôpitaux
3 lxB f city cities ville +
3 lmi m office + bureau bureaux
3 li f kitchen + cuisine +
1 hlxB f street + rue +
1 h f river + rivière +
1 hB m bridge + pont +
1 hlxD m field + champ +
2 hBD f road + route +
2 hB m canal + canal canaux
3 hB m path + sentier +
3 hB f avenue + avenue +
1 oO f crisis - crise -
1 o f war - guerre -
2 oO f economy - économie -
2 o m climate - climat -
2 oO m budget - budget -
3 o m environment - environnement -
3 oO m future - avenir -
1 nZ f Area - zone -
1 nNZ f Union - union -
1 nN m Council - conseil -
2 nN f Commission - commission -
3 nN f Bank - banque -
"""

# level kind dimension English masculine feminine m.plural f.plural classes predicate-classes [form before a vowel]
# "+" builds the regular form (feminine +e, plurals +s)
_ADJECTIVES = """
1 pre size small petit + + + Matcvufklh Matcvufklh
1 pre size big grand + + + atcvufklh atcvufklh
1 pre age old vieux vieille vieux vieilles patcvukdgiB patcvukdiB vieil
1 pre age young jeune jeune + + pa pa
1 pre beauty beautiful beau belle beaux belles patcvklh patcvklh bel
1 pre age new nouveau nouvelle nouveaux nouvelles tcvudgiB - nouvel
2 pre quality good bon bonne bons bonnes rfd fd
2 pre quality bad mauvais mauvaise mauvais mauvaises fd fd
3 pre beauty pretty joli + + + tclh tclh
1 post colour red rouge rouge + + cvuA cvuA
1 post colour black noir + + + acvu acvu
1 post colour white blanc blanche blancs blanches acvui acvui
1 post energy tired fatigué + + + - pa
1 post health sick malade malade + + - pa
1 post mood happy heureux heureuse heureux heureuses p p
1 post width wide large large + + h h
1 post length long long longue longs longues - hd
2 post colour green vert + + + cvuA cvuA
2 post width narrow étroit + + + h h
2 post warmth hot chaud + + + H H
2 post warmth cold froid + + + H H
2 post mood sad triste triste + + p p
2 post strength weak faible faible + + - pa
2 post weight important important + + + dgo dgo
2 post ease difficult difficile difficile + + d d
2 post danger dangerous dangereux dangereuse dangereux dangereuses h h
3 post colour blue bleu + + + cvu cvu
3 post colour yellow jaune jaune + + cvu cvu
3 post colour grey gris grise gris grises acvu acvu
3 post strangeness strange étrange étrange + + patdlh patdlh
3 post filling empty vide vide + + i i
3 post fame famous célèbre célèbre + + pw pw
3 post wealth rich riche riche + + p p
3 post wetness dry sec sèche secs sèches D D
3 post interest interesting intéressant + + + d d
3 post weight heavy lourd + + + tu tu
3 post danger slippery glissant + + + - h
3 post fear afraid effrayé + + + - pa
1 nat origin French français française français françaises pdgo p
1 nat origin English anglais anglaise anglais anglaises pdgo p
1 nat origin European européen européenne européens européennes pgon -
2 nat origin German allemand + + + pdgo p
2 nat origin Italian italien italienne italiens italiennes pdgo p
3 nat origin Spanish espagnol + + + pdgo p
3 nat origin American américain + + + pdgo p
1 rel field economic économique économique + + gozn -
2 rel field political politique politique + + gozn -
3 rel field national national nationale nationaux nationales gozn -
3 rel field international international internationale internationaux internationales gozn -
"""

# level kind | English base past participle | particle | French: infinitive, then (if irregular) the five
# present forms, past participle, future stem | preposition | auxiliary | subjects>objects … | adjuncts | passive
_VERBS = """
1 trans|see saw seen|-|voir vois vois voit voyons voient vu verr|-|avoir|pa>patcvkih|n|-
1 trans|love loved loved|-|aimer|-|avoir|p>pafdiK|-|-
1 trans|find found found|-|trouver|-|avoir|p>ytcd a>f|inb|y
1 trans|buy bought bought|-|acheter achète achètes achète achetons achètent acheté achèter|-|avoir|p>tcvufy|nwz|y
1 trans|read read read|-|lire lis lis lit lisons lisent lu lir|-|avoir|p>d q>g|inw|-
1 trans|eat ate eaten|-|manger mange manges mange mangeons mangent mangé manger|-|avoir|p>f a>e|inw|y
1 trans|lose lost lost|-|perdre perds perds perd perdons perdent perdu perdr|-|avoir|p>tcd|in|-
1 trans|cross crossed crossed|-|traverser|-|avoir|pa>h|w|-
1 trans|sign signed signed|-|signer|-|avoir|qN>g p>s|iz|y
1 trans|write wrote written|-|écrire écris écris écrit écrivons écrivent écrit écrir|-|avoir|p>w q>g N>z|in|y
2 trans|sell sold sold|-|vendre vends vends vend vendons vendent vendu vendr|-|avoir|p>tcvufy|nwz|y
2 trans|hear heard heard|-|entendre entends entends entend entendons entendent entendu entendr|-|avoir|pa>pa p>j|inb|-
2 trans|follow followed followed|-|suivre suis suis suit suivons suivent suivi suivr|-|avoir|pa>pa|-|-
2 trans|help helped helped|-|aider|-|avoir|p>p|i|-
2 trans|open opened opened|-|ouvrir ouvre ouvres ouvre ouvrons ouvrent ouvert ouvrir|-|avoir|p>b|-|y
2 trans|publish published published|-|publier|-|avoir|p>w N>z|z|y
2 trans|watch watched watched|-|regarder|-|avoir|p>pav a>pa|inbw|-
2 trans|wait waited waited|for|attendre attends attends attend attendons attendent attendu attendr|-|avoir|pa>p|inba|-
2 trans|answer answered answered|-|répondre réponds réponds répond répondons répondent répondu répondr|à|avoir|p>p|-|-
2 trans|listen listened listened|to|écouter|-|avoir|p>pj|in|-
3 trans|look looked looked|for|chercher|-|avoir|p>patcd a>pa|inb|-
3 trans|obey obeyed obeyed|-|obéir obéis obéis obéit obéissons obéissent obéi obéir|à|avoir|p>qr|-|-
3 trans|accept accepted accepted|-|accepter|-|avoir|qN>g|-|y
3 trans|translate translated translated|-|traduire traduis traduis traduit traduisons traduisent traduit traduir|-|avoir|p>w|iw|y
3 trans|choose chose chosen|-|choisir choisis choisis choisit choisissons choisissent choisi choisir|-|avoir|p>tcvufy|w|-
3 trans|forget forgot forgotten|-|oublier|-|avoir|p>tcd|-|-
3 trans|clean cleaned cleaned|-|nettoyer nettoie nettoies nettoie nettoyons nettoient nettoyé nettoier|-|avoir|p>cvui|w|-
3 trans|paint painted painted|-|peindre peins peins peint peignons peignent peint peindr|-|avoir|p>uki|w|-
3 trans|admire admired admired|-|admirer|-|avoir|p>ptkl|-|-
3 trans|invite invited invited|-|inviter|-|avoir|p>p|-|-
3 trans|call called called|-|appeler appelle appelles appelle appelons appellent appelé appeller|-|avoir|p>p|-|-
1 neutral|do did done|-|faire fais fais fait faisons font fait fer|-|avoir|p>|-|-
1 intrans|sleep slept slept|-|dormir dors dors dort dormons dorment dormi dormir|-|avoir|pa>|inb|-
1 intrans|sing sang sung|-|chanter|-|avoir|p>|inbwz|-
1 intrans|arrive arrived arrived|-|arriver|-|être|pav>|aw|-
1 intrans|work worked worked|-|travailler|-|avoir|p>|inawz|-
2 intrans|fall fell fallen|-|tomber|-|être|pa>|inb|-
2 intrans|leave left left|-|partir pars pars part partons partent parti partir|-|être|pav>|w|-
3 intrans|laugh laughed laughed|-|rire ris ris rit rions rient ri rir|-|avoir|p>|inw|-
3 intrans|run ran run|-|courir cours cours court courons courent couru courr|-|avoir|pa>|inbw|-
3 intrans|swim swam swum|-|nager nage nages nage nageons nagent nagé nager|-|avoir|p>|nw|-
3 intrans|dance danced danced|-|danser danse danses danse dansons dansent dansé danser|-|avoir|p>|inw|-
1 reflexive|stop stopped stopped|-|arrêter|-|être|pav>|nb|-
2 reflexive|rest rested rested|-|reposer|-|être|pa>|inb|-
3 reflexive|worry worried worried|-|inquiéter inquiète inquiètes inquiète inquiétons inquiètent inquiété inquiéter|-|être|p>|-|-
3 reflexive|hide hid hidden|-|cacher|-|être|pa>|inb|-
2 give|give gave given|-|donner|-|avoir|p>tcfd|-|-
2 give|send sent sent|-|envoyer envoie envoies envoie envoyons envoient envoyé enverr|-|avoir|p>w|-|-
2 give|show showed shown|-|montrer|-|avoir|p>tcd|-|-
2 modal|want wanted wanted|to|vouloir veux veux veut voulons veulent voulu voudr|-|avoir|pa>|-|-
2 modal|try tried tried|to|essayer essaie essaies essaie essayons essaient essayé essaier|de|avoir|pa>|-|-
3 modal|begin began begun|to|commencer commence commences commence commençons commencent commencé commencer|à|avoir|pa>|-|-
3 modal|refuse refused refused|to|refuser|de|avoir|pa>|-|-
2 say|say said said|that|dire dis dis dit disons disent dit dir|-|avoir|p>|-|-
2 say|think thought thought|that|penser|-|avoir|p>|-|-
3 say|believe believed believed|that|croire crois crois croit croyons croient cru croir|-|avoir|p>|-|-
3 say|know knew known|that|savoir sais sais sait savons savent su saur|-|avoir|p>|-|-
"""

# level English French
MONTHS = ((1, "August", "août"), (1, "May", "mai"), (1, "July", "juillet"), (2, "April", "avril"),
          (2, "October", "octobre"), (3, "January", "janvier"), (3, "March", "mars"), (3, "June", "juin"))  # fmt: skip
YEARS = ((1, "1992"), (1, "1945"), (1, "2001"), (2, "1968"), (2, "1989"), (3, "1914"), (3, "1957"), (3, "2015"))  # fmt: skip
WEEKDAYS = ((3, "Monday", "lundi"), (3, "Friday", "vendredi"), (3, "Sunday", "dimanche"))
# where: letter in a verb's adjuncts, English, the French words before the noun phrase, the noun classes
PLACE_PREPOSITIONS = ((1, "i", "in", ("dans",), "l"), (1, "z", "in", ("dans",), "Z"),
                      (1, "n", "near", ("près", "de"), "khi"),
                      (2, "b", "behind", ("derrière",), "iku"), (2, "a", "at", ("à",), "m"))  # fmt: skip
NUMBERS = ((3, "two", "deux"), (3, "three", "trois"), (3, "four", "quatre"))
ADVERBS = ((2, "often", "souvent"), (2, "always", "toujours"))
CONJUNCTIONS = ((1, "and", ("et",)), (1, "but", ("mais",)), (1, "because", ("parce", "que")), (1, "when", ("quand",)),
                (3, "if", ("si",)), (3, "while", ("pendant", "que")))  # fmt: skip


def _plural(word: str, given: str) -> str | None:
    return None if given == "-" else word + "s" if given == "+" else given


def _third(base: str) -> str:
    if base == "do":
        return "does"
    if base.endswith(("s", "sh", "ch", "x")):
        return base + "es"
    if base.endswith("y") and base[-2] not in "aeiou":
        return base[:-1] + "ies"
    return base + "s"


_DOUBLED = {"run", "swim", "stop", "forget", "begin"}


def _ing(base: str) -> str:
    if base in _DOUBLED:
        return base + base[-1] + "ing"
    if base.endswith("e") and not base.endswith("ee"):
        return base[:-1] + "ing"
    return base + "ing"


def _read_nouns() -> tuple[Noun, ...]:
    nouns = []
    for line in _NOUNS.split("\n"):
        if not line:
            continue
        level, classes, gender, singular, plural, french, french_plural, *rest = line.split()
        nouns.append(
            Noun(int(level), classes, gender, singular, _plural(singular, plural), french,
                 _plural(french, french_plural), rest == ["h"])
        )  # fmt: skip
    return tuple(nouns)


def _read_adjectives() -> tuple[Adjective, ...]:
    adjectives = []
    for line in _ADJECTIVES.split("\n"):
        if not line:
            continue
        level, kind, dimension, word, m, f, mp, fp, classes, predicate, *rest = line.split()
        f = m + "e" if f == "+" else f
        forms = (m, f, m + "s" if mp == "+" else mp, f + "s" if fp == "+" else fp)
        adjectives.append(
            Adjective(
                int(level), kind, dimension, word, forms, classes.strip("-"), predicate.strip("-"), *rest
            )
        )
    return tuple(adjectives)


def _read_verbs() -> tuple[Verb, ...]:
    verbs = []
    for line in _VERBS.split("\n"):
        if not line:
            continue
        head, english, particle, french, preposition, auxiliary, frames, adjuncts, passive = line.split("|")
        level, kind = head.split()
        base, past, participle = english.split()
        infinitive, *forms = french.split()
        if forms:
            je, tu, il, nous, ils, past_participle, future = forms
        else:  # a regular verb in -er
            stem = infinitive.removesuffix("er")
            je, tu, il, nous, ils = (stem + ending for ending in ("e", "es", "e", "ons", "ent"))
            past_participle, future = stem + "é", infinitive
        pairs = tuple(
            (subjects, objects) for subjects, _, objects in (each.partition(">") for each in frames.split())
        )
        verbs.append(
            Verb(int(level), kind, base, _third(base), past, participle, _ing(base), particle.strip("-"),
                 preposition.strip("-"), infinitive, (je, tu, il, nous, ils), past_participle, future,
                 auxiliary, pairs, adjuncts.strip("-"), passive == "y")
        )  # fmt: skip
    return tuple(verbs)


NOUNS = _read_nouns()
ADJECTIVES = _read_adjectives()
VERBS = _read_verbs()
