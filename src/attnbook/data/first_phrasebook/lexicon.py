# ruff: noqa: E501 - a table is read by its columns
"""The words of the phrasebook: tables of English words with their French forms.

Each table is plain text, one entry a line, so that a reader can check the French without reading code.
The first column is the level: 1 = in every subset, 2 = in "medium" and "full", 3 = in "full" alone.

Noun classes (one letter each; a noun may have several):
p person, a animal, t thing, f food, d document, g document that can be "on" a topic, l place one can be
in, m place one can be at, h path one can cross, o topic.
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
    subjects: str
    objects: str
    passive: bool


# level classes gender English plural French plural; "+" = regular plural, "-" = none, trailing h = h aspiré
_NOUNS = """
1 p m man men homme +
1 p f woman women femme +
1 p m boy + garçon +
1 p f girl + fille +
1 p m child children enfant +
1 p m teacher + professeur +
1 p m king + roi +
1 p f queen + reine +
1 p m friend + ami +
1 p m doctor + médecin +
1 p m minister + ministre +
2 p m student + étudiant +
2 p m neighbour + voisin +
2 p f sister + sœur +
2 p m brother + frère +
2 p f nurse + infirmière +
2 p m president + président +
3 p m writer + écrivain +
3 p m hero heroes héros héros h
3 p f actress actresses actrice +
3 p m lawyer + avocat +
3 p m farmer + fermier +
3 p f mother + mère +
3 p m father + père +
3 p m uncle + oncle +
3 p f aunt + tante +
3 p m worker + ouvrier +
1 a m animal + animal animaux
1 a m dog + chien +
1 a m cat + chat +
1 a m horse + cheval chevaux
1 a f cow + vache +
2 a m bird + oiseau oiseaux
2 a f mouse mice souris souris
2 a f goat + chèvre +
3 a m owl + hibou hiboux h
3 a f bee + abeille +
3 a m fox foxes renard +
3 a m wolf wolves loup +
3 a f hen + poule +
1 t f car + voiture +
1 t m tree + arbre +
1 t f picture + image +
1 t m hat + chapeau chapeaux
2 t f key + clé +
2 t f chair + chaise +
2 t f table + table +
2 tb m umbrella + parapluie +
2 t m boat + bateau bateaux
3 tb m bag + sac +
3 tb f box boxes boîte +
3 t f clock + horloge +
3 t m tool + outil +
3 t m coat + manteau manteaux
3 t m glass glasses verre +
3 t m plane + avion +
3 t f shirt + chemise +
1 f f apple + pomme +
1 f m cake + gâteau gâteaux
1 f m bread - pain -
2 f f soup - soupe -
2 f m egg + œuf +
2 f m cheese - fromage -
3 f f orange + orange +
3 f f meat - viande -
3 f m bean + haricot + h
3 f m onion + oignon +
1 dg m agreement + accord +
1 dgb m book + livre +
1 db f letter + lettre +
1 dg m report + rapport +
1 dg f law + loi +
2 d m newspaper + journal journaux
2 d f story stories histoire +
2 dg m treaty treaties traité +
2 d f answer + réponse +
3 d m poem + poème +
3 dg m article + article +
3 d m message + message +
3 d f song + chanson +
1 lb f house + maison +
1 lmb f school + école +
1 lb m hotel + hôtel +
1 l m garden + jardin +
2 m f station + gare +
2 m m market + marché +
2 l f forest + forêt +
2 l m village + village +
2 lmb f church churches église +
3 lmb m museum + musée +
3 l m hospital + hôpital hôpitaux
3 l f city cities ville +
3 lm m office + bureau bureaux
3 l f kitchen + cuisine +
1 h f street + rue +
1 h f river + rivière +
1 h m bridge + pont +
1 h m field + champ +
2 h f road + route +
2 h m canal + canal canaux
3 h m path + sentier +
3 h f avenue + avenue +
1 o f crisis - crise -
1 o f war - guerre -
2 o f economy - économie -
2 o m climate - climat -
2 o m budget - budget -
3 o m environment - environnement -
3 o m future - avenir -
"""

# level kind English masculine feminine m.plural f.plural classes predicate-classes [form before a vowel]
# "+" builds the regular form (feminine +e, plurals +s)
_ADJECTIVES = """
1 pre small petit + + + patfdlh patfdlh
1 pre big grand + + + atflh atflh
1 pre old vieux vieille vieux vieilles patdlh patdlh vieil
1 pre young jeune jeune + + pa pa
1 pre beautiful beau belle beaux belles patlh patlh bel
1 pre new nouveau nouvelle nouveaux nouvelles tdl - nouvel
2 pre good bon bonne bons bonnes pfd fd
2 pre bad mauvais mauvaise mauvais mauvaises fd fd
3 pre pretty joli + + + tlh tlh
1 post red rouge rouge + + t t
1 post black noir + + + at at
1 post white blanc blanche blancs blanches atl atl
1 post tired fatigué + + + - pa
1 post sick malade malade + + - pa
1 post happy heureux heureuse heureux heureuses p p
1 post wide large large + + h h
1 post long long longue longs longues - h
2 post green vert + + + t t
2 post narrow étroit + + + h h
2 post hot chaud + + + f f
2 post cold froid + + + f f
2 post sad triste triste + + pa pa
2 post weak faible faible + + - pa
2 post important important + + + pdo do
2 post difficult difficile difficile + + d d
2 post dangerous dangereux dangereuse dangereux dangereuses - h
3 post blue bleu + + + t t
3 post yellow jaune jaune + + t t
3 post grey gris grise gris grises at at
3 post strange étrange étrange + + patdlh patdlh
3 post empty vide vide + + lh lh
3 post famous célèbre célèbre + + pdl pdl
3 post rich riche riche + + p p
3 post dry sec sèche secs sèches f f
3 post interesting intéressant + + + d d
3 post heavy lourd + + + t t
3 post slippery glissant + + + - h
3 post afraid effrayé + + + - pa
1 nat French français française français françaises pdo p
1 nat English anglais anglaise anglais anglaises pdo p
1 nat European européen européenne européens européennes pdo -
2 nat German allemand + + + pdo p
2 nat Italian italien italienne italiens italiennes pdo p
3 nat Spanish espagnol + + + pdo p
3 nat American américain + + + pdo p
1 rel economic économique économique + + go -
2 rel political politique politique + + go -
3 rel national national nationale nationaux nationales go -
3 rel international international internationale internationaux internationales go -
"""

# level kind | English base past participle | particle | French: infinitive, then (if irregular) the five
# present forms, past participle, future stem | preposition | auxiliary | subjects | objects | passive
_VERBS = """
1 trans|see saw seen|-|voir vois vois voit voyons voient vu verr|-|avoir|pa|patlh|-
1 trans|love loved loved|-|aimer|-|avoir|p|pafl|-
1 trans|find found found|-|trouver|-|avoir|pa|patd|y
1 trans|buy bought bought|-|acheter achète achètes achète achetons achètent acheté achèter|-|avoir|p|tf|-
1 trans|read read read|-|lire lis lis lit lisons lisent lu lir|-|avoir|p|d|y
1 trans|eat ate eaten|-|manger mange manges mange mangeons mangent mangé manger|-|avoir|pa|f|-
1 trans|lose lost lost|-|perdre perds perds perd perdons perdent perdu perdr|-|avoir|p|td|-
1 trans|cross crossed crossed|-|traverser|-|avoir|pa|h|-
1 trans|sign signed signed|-|signer|-|avoir|p|g|y
1 trans|write wrote written|-|écrire écris écris écrit écrivons écrivent écrit écrir|-|avoir|p|d|y
2 trans|sell sold sold|-|vendre vends vends vend vendons vendent vendu vendr|-|avoir|p|tf|-
2 trans|hear heard heard|-|entendre entends entends entend entendons entendent entendu entendr|-|avoir|pa|pa|-
2 trans|follow followed followed|-|suivre suis suis suit suivons suivent suivi suivr|-|avoir|pa|pa|-
2 trans|help helped helped|-|aider|-|avoir|p|pa|-
2 trans|open opened opened|-|ouvrir ouvre ouvres ouvre ouvrons ouvrent ouvert ouvrir|-|avoir|p|b|-
2 trans|publish published published|-|publier|-|avoir|p|d|y
2 trans|watch watched watched|-|regarder|-|avoir|pa|pat|-
2 trans|wait waited waited|for|attendre attends attends attend attendons attendent attendu attendr|-|avoir|pa|p|-
2 trans|answer answered answered|-|répondre réponds réponds répond répondons répondent répondu répondr|à|avoir|p|p|-
2 trans|listen listened listened|to|écouter|-|avoir|p|p|-
3 trans|look looked looked|for|chercher|-|avoir|pa|patd|-
3 trans|obey obeyed obeyed|-|obéir obéis obéis obéit obéissons obéissent obéi obéir|à|avoir|p|p|-
3 trans|accept accepted accepted|-|accepter|-|avoir|p|d|y
3 trans|translate translated translated|-|traduire traduis traduis traduit traduisons traduisent traduit traduir|-|avoir|p|d|y
3 trans|choose chose chosen|-|choisir choisis choisis choisit choisissons choisissent choisi choisir|-|avoir|p|tfdl|-
3 trans|forget forgot forgotten|-|oublier|-|avoir|p|td|-
3 trans|clean cleaned cleaned|-|nettoyer nettoie nettoies nettoie nettoyons nettoient nettoyé nettoier|-|avoir|p|tl|-
3 trans|paint painted painted|-|peindre peins peins peint peignons peignent peint peindr|-|avoir|p|tl|-
3 trans|admire admired admired|-|admirer|-|avoir|p|ptl|-
3 trans|invite invited invited|-|inviter|-|avoir|p|p|-
3 trans|call called called|-|appeler appelle appelles appelle appelons appellent appelé appeller|-|avoir|p|p|-
1 neutral|do did done|-|faire fais fais fait faisons font fait fer|-|avoir|p|-|-
1 intrans|sleep slept slept|-|dormir dors dors dort dormons dorment dormi dormir|-|avoir|pa|-|-
1 intrans|sing sang sung|-|chanter|-|avoir|p|-|-
1 intrans|arrive arrived arrived|-|arriver|-|être|pa|-|-
2 intrans|work worked worked|-|travailler|-|avoir|p|-|-
2 intrans|fall fell fallen|-|tomber|-|être|pa|-|-
2 intrans|leave left left|-|partir pars pars part partons partent parti partir|-|être|pa|-|-
3 intrans|laugh laughed laughed|-|rire ris ris rit rions rient ri rir|-|avoir|p|-|-
3 intrans|run ran run|-|courir cours cours court courons courent couru courr|-|avoir|pa|-|-
3 intrans|swim swam swum|-|nager nage nages nage nageons nagent nagé nager|-|avoir|pa|-|-
3 intrans|dance danced danced|-|danser danse danses danse dansons dansent dansé danser|-|avoir|p|-|-
1 reflexive|stop stopped stopped|-|arrêter|-|être|pa|-|-
2 reflexive|rest rested rested|-|reposer|-|être|pa|-|-
3 reflexive|worry worried worried|-|inquiéter inquiète inquiètes inquiète inquiétons inquiètent inquiété inquiéter|-|être|p|-|-
3 reflexive|hide hid hidden|-|cacher|-|être|pa|-|-
2 give|give gave given|-|donner|-|avoir|p|tfd|-
2 give|send sent sent|-|envoyer envoie envoies envoie envoyons envoient envoyé enverr|-|avoir|p|d|-
2 give|show showed shown|-|montrer|-|avoir|p|td|-
2 modal|want wanted wanted|to|vouloir veux veux veut voulons veulent voulu voudr|-|avoir|pa|-|-
2 modal|try tried tried|to|essayer essaie essaies essaie essayons essaient essayé essaier|de|avoir|pa|-|-
3 modal|begin began begun|to|commencer commence commences commence commençons commencent commencé commencer|à|avoir|pa|-|-
3 modal|refuse refused refused|to|refuser|de|avoir|pa|-|-
2 say|say said said|that|dire dis dis dit disons disent dit dir|-|avoir|p|-|-
2 say|think thought thought|that|penser|-|avoir|p|-|-
3 say|believe believed believed|that|croire crois crois croit croyons croient cru croir|-|avoir|p|-|-
3 say|know knew known|that|savoir sais sais sait savons savent su saur|-|avoir|p|-|-
"""

# level English French
MONTHS = ((1, "August", "août"), (1, "May", "mai"), (1, "July", "juillet"), (2, "April", "avril"),
          (2, "October", "octobre"), (3, "January", "janvier"), (3, "March", "mars"), (3, "June", "juin"))  # fmt: skip
YEARS = ((1, "1992"), (1, "1945"), (1, "2001"), (2, "1968"), (2, "1989"), (3, "1914"), (3, "1957"), (3, "2015"))  # fmt: skip
WEEKDAYS = ((3, "Monday", "lundi"), (3, "Friday", "vendredi"), (3, "Sunday", "dimanche"))
# places that one is in: English, then the French words before the noun phrase, then the noun classes
PLACE_PREPOSITIONS = ((1, "in", ("dans",), "l"), (1, "near", ("près", "de"), "lmh"), (2, "behind", ("derrière",), "l"),
                      (2, "at", ("à",), "m"), (3, "under", ("sous",), "t"))  # fmt: skip
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
        level, kind, word, m, f, mp, fp, classes, predicate, *rest = line.split()
        f = m + "e" if f == "+" else f
        forms = (m, f, m + "s" if mp == "+" else mp, f + "s" if fp == "+" else fp)
        adjectives.append(
            Adjective(int(level), kind, word, forms, classes.strip("-"), predicate.strip("-"), *rest)
        )
    return tuple(adjectives)


def _read_verbs() -> tuple[Verb, ...]:
    verbs = []
    for line in _VERBS.split("\n"):
        if not line:
            continue
        head, english, particle, french, preposition, auxiliary, subjects, objects, passive = line.split("|")
        level, kind = head.split()
        base, past, participle = english.split()
        infinitive, *forms = french.split()
        if forms:
            *present, past_participle, future = forms
        else:  # a regular verb in -er
            stem = infinitive.removesuffix("er")
            present = [stem + ending for ending in ("e", "es", "e", "ons", "ent")]
            past_participle, future = stem + "é", infinitive
        verbs.append(
            Verb(int(level), kind, base, _third(base), past, participle, _ing(base), particle.strip("-"),
                 preposition.strip("-"), infinitive, tuple(present), past_participle, future, auxiliary,
                 subjects, objects.strip("-"), passive == "y")
        )  # fmt: skip
    return tuple(verbs)


NOUNS = _read_nouns()
ADJECTIVES = _read_adjectives()
VERBS = _read_verbs()
