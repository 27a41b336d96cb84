"""Texts on which a cutter that is nearly jieba would differ from it."""

from __future__ import annotations

from hypothesis import strategies as st

# What the block rules, the HMM's rules and full mode treat differently, and characters of no dictionary.
SIGNS = [*"aBZ059.%-+#&_ \r\n\t，。！“·\u3000\x1c\x85\u2028\0\ud800\udfff\U00020000\U0001f600é", "\r\n"]
HAN = list("我来到北京清华大学的中国人民生活在一起丁龥鿕鿖々〇网易杭研龘㐀")
WORDS = [
    "清华大学",
    "T恤衫",
    "AT&T",
    "卡拉OK",
    "c++",
    "1号店",
    "IC卡",
    "IP地址",
    "3.14",
    "100%",
    "K歌之王",
    "还没有结婚的和尚未上学的",
]

texts = st.lists(
    st.one_of(
        st.sampled_from(HAN),
        st.sampled_from(SIGNS),
        st.sampled_from(WORDS),
        st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF),
        st.characters(exclude_categories=()),
    ),
    max_size=40,
).map("".join)
