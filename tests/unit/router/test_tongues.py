from __future__ import annotations

import pytest

from metier.router.tongues import language_of


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "What is the best way to learn a language?"),
        ("en", "my card was not accepted in the shop"),
        ("en", "Translate to Chinese: 你好 means hello, and so does this"),
        ("de", "Wie lange muss ich das Ei kochen und warum ist es nicht fertig?"),
        ("fr", "Comment est-ce que je peux fermer mon compte dans la banque ?"),
        ("es", "¿Cómo puedo cerrar la cuenta que tengo en el banco?"),
        ("it", "Perché la mia carta non è stata accettata e come posso fare?"),
        ("pt", "Como eu posso fechar a minha conta e o que não está certo?"),
        ("nl", "Hoe kan ik mijn rekening sluiten en wat is er met de kaart?"),
        ("sv", "Hur kan jag stänga kontot och vad är det som inte fungerar?"),
        ("pl", "Jak mogę zamknąć konto i co jest nie tak z moją kartą?"),
        ("zh", "运行中变压器温度最高的部分是什么？"),
        ("ja", "卵を何分ゆでればいいですか。"),
        ("ko", "계좌를 어떻게 닫나요?"),
        ("ru", "Как закрыть счёт, если карта была утеряна?"),
        ("uk", "Як закрити рахунок і що не так із карткою?"),
        ("el", "Πώς μπορώ να κλείσω τον λογαριασμό μου;"),
        ("he", "איך אני סוגר את החשבון שלי?"),
        ("ar", "كيف أغلق حسابي في البنك؟"),
        ("fa", "چگونه حساب خود را ببندم؟"),
        ("hi", "मैं अपना खाता कैसे बंद करूं? यह क्या है"),
        ("th", "ฉันจะปิดบัญชีได้อย่างไร"),
    ],
)
def test_languages_are_told(language: str, text: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ok",
        "x = 1",
        "12 345",
        "👍🎉😀",
        "\u202e\u202d\u200f",
        "\ud83d\ud83d",
        "Lisboa Berlin Praha",
        "и то",
    ],
)
def test_what_is_not_clear_stays_unknown(text: str) -> None:
    assert language_of(text) == ""


def test_chinese_with_some_letters_in_it_is_chinese() -> None:
    assert language_of("下列IP地址的属于标准B类IP地址的是\nA. 190.168.12.7/16") == "zh"


def test_a_long_text_is_read_at_its_head_and_tail() -> None:
    assert language_of("the cat is on the mat and " * 400_000) == "en"
    assert language_of("\u0600" * 10_000_000) == "ar"
