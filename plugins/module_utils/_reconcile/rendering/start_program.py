# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The start program: how a container gets secret variables without Podman, which shows all that it knows.

``podman inspect`` shows the environment that a container runs with, also what an OCI hook or a Podman secret has put
there, and Podman's debug log shows what a hook changed. So a container with secret variables is begun by a program of
ours (its source is docs/start_program.c), mounted into it with a file of these variables; it adds them to what it was
given, byte for byte and whatever their names, and becomes the container's own command. Nothing is needed in the image.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping, Sequence

from ..secrecy import Hidden

DIRECTORY = "/.podwright"
"""Where a container has the program and its data."""
PROGRAM = "start"
DATA = "data"
COMMAND = f"{DIRECTORY}/{PROGRAM}"
MAX_STRING_BYTES = 131_071
"""The longest ``NAME=VALUE`` or word that the kernel hands to a program, without its NUL (MAX_ARG_STRLEN)."""


def program(machine: str) -> bytes | None:
    """The program for a kind of machine, by the name that uname(2) has for it; None where there is none."""
    kind = "arm" if machine.startswith("armv") else "i386" if machine in ("i486", "i586", "i686") else machine
    text = _PROGRAMS.get(kind)
    return None if text is None else zlib.decompress(base64.b64decode(text))


def data(variables: Mapping[str, Hidden], words: Sequence[str] = ()) -> bytes:
    """The file beside the program: what it adds, and the command to become where Podman is not to be told of it."""
    pairs = sorted((name, hidden.reveal()) for name, hidden in variables.items())
    strings = [*(f"e{name}={value}" for name, value in pairs), *(f"w{word}" for word in words)]
    return b"".join(text.encode() + b"\0" for text in strings)


# Made by scripts/build_start_program.py from docs/start_program.c.
_PROGRAMS = {
    "aarch64": (
        "eNqtVl1oU1cc/9/cm+S2jTWOQrsY1lsVcTLKHiqkwuiN+0DUhy3kPUmb2GS2SZvErdWHxq2bjLz0jsGYoIlOoc0c1FEnjLHWsYnow7DsQza3pn"
        "61axwz4EZarNnvn95kaRHcww6c+z/n//11zj1DL+97xSAIVB4GukC8mye1tFd1vEOusADnIBFfExlLvEaqHuoqaNHlLBV5ofI1YVp1vFV2roKV"
        "YU2vknvtTtxvov8+rDrMiqRFiBpmRcoQJaY3Bb2OXUQ7pkTPjySR9rBYbBSBNwS7HFswPSQdcArkfouorQt0zwPqbykW3SkyHDhC5E5hn21M2U"
        "rylHA9gvzy4cmxW9Avy4npZdi7Uyx+eBP7WVHMqNDN+hHF98uHL46y3PLhr8Zug35HFDLMf1c0wDcaIdWm/QHZrChlcoCTMuVPwmaJ1mfT7gK3"
        "FbGcttO1VBPlQ6JOO23TZkAbtiSmzaaES8A0wDdFog1kp6cmScotgNdD1M8+tliP2tivTbpvs0PUjqmxj6kRIY8iu1PbKC8A3oZv9xBjyc6UXa"
        "MBf+Eb9q2N8l7Oh0T53Q+L7qxoylyu4ziRy6qYlyB7hqSryP922HP9gv1LQmL6p7LOUbt2BesOxMp5vNmYOsY52VUQtM9hh3FzyBXjLKQuWgw0"
        "IUrqYha5TYLeKdE1r5kmnKhrx5fU70PthAbSOiQ1P2YiN/N9vR4xwp9T4Bdhs+usXbvP9iGbB+wM+hyngi2OFtS7gygHve5TRMkjloTrZFBxKI"
        "BH6hMuVaJ2p0ztqoXaPVbkTDRmZHNi2mtJvG8Q0pWYf4e/zVY6R9BjAi5rKFx420rjflXR6qzp6SskJbNiDfqjNtMpmK7Om//NVzNR/h5iYPk0"
        "IA7mBHJ3lWMwo/bvwH/O8Rno+gG+l2lZ+HIZe5YX06ljl0hMol8aZ8ibxxlwvyvSeRlyt9Bb78k0Pkw0/qxT0YahJ/ei+tkQ1eZE8CVrSGP6Au"
        "rJ9JylLvkn6GFBXQyb6HyzQPlEjXNpn0nvvRs2zQm9I8gt6+d452BXzXsciWKxrZz76yVf6nLShr1LF/WeZhpdtmlM/wh0L6ntzR8I/S2I24ta"
        "KINbC5cAuYZW6Ofz2oW6cNzNN4R+J/LLfImBbQXZSNrfwH8KOEPrcmkLuVsGewtZsT4jQ1aFLx5hfc4H/Cz41sEm88+ppKVqEBPyQciFefzoMV"
        "xNIznUR162aQvouf2I3SRwHUyZrChnHjyCLwZq4/UC1pfgUxa1nMOazzWvBcSCOHbMoB57YWu4SV2aMpP7njHh2ok6HmghbYH7Hj3L983oRq5h"
        "LXrCnLkJ2+V+4PoyfnSlX0syQ4WOfA9yeDK42cH3DufoIuxxLjrmqX9Lk3po9lHRjfsq2fEQvKgr8jZxVuf/GL3Bd2EKvb4g8BkxVuyyH5VebK"
        "NzXu5Fmc5JTe4vFKxX/DFmhuGHM+R1+HA+2C/cW42f4FxPwQ/kso19Yj0/l3q0LvMdIOdfvV90tw5uL+xBnTgHr6/cA9QX8b8ZDXUH4zsV2qmE"
        "I3Flf+Rg2F+LTSAajUQV8vviPuqK9Pb6wn561ene/QJo8UhEAWJQAQeveyLhbuUNXzTk6+wJxBSwKr5o98HeQDgeY12hGHQrfdFId9TXCxOQCg"
        "LX6+sKhsIB5ugLRHtDsVgoElb8gXAoABd4fGta+a/9pcOxJ8BGs7rqPyQccpE08Iyw0dJcwjVh9iwWi/aq/9VzmHHgyn9Su/43TQP3PCOc9dbj"
        "hhPCnt9+redtAybuYBoHvUEo0ZXj0gmR8QOYZ3H5sh3atSLXUDqwK3j0aUUftcaCsXg07uuk1nhgIE6t0Ugp262BoGc/EhWg1s5YjP6PUVf1Bq"
        "Cq98a8vj+9+lGB1lo9NujyBn0/oud7RFd4fQ2/vGb/9Br5oF6noFm3/wT5zTpOpLXvl7XvlsfLC1Wy1aP8Ttr2GP7q8Q/qNa9o"
    ),
    "arm": (
        "eNqNVV1sFFUUPndmdqddWpy6EKWpeIsYfaEdDU+NJIuiQePDAg1NsIm7sEu7Cd3d7C6iCYE1WyyimILgg9HMmOgL8QF9QUxMCE0MUYgYxBoTzc"
        "5Mr63VWAV/iDGs35ndCv48uMnZO/eec8/5znfOvXf/w48/IoSgxZ9G9xLPjuF/LcY2M1yMrCVJOnQRMuiGtQhlLkqhRHjJoht6SzQl/J6kaEu/"
        "SVUy9B+/aFNNneR65sULwU6iebJdj8gNSF6aJdocrGz0A23V/73RmBd2whfWel/QVSXkT0qjpKcTdRMlA0SNrcP4W6PRzSP2Yp8LtRuHD6+aWP"
        "MtWa73TaPxnVGEf5tjuJ7GsYgWqtUP5mpsk3K9OXKUSECXdL0fYR8Fvh8wajQYXCQnYiOWmdrgR2lrcDvRq2dgz34zZ9zArkPYt+UGQtb8Dhr0"
        "GlLze4hOgInAtC8s5/gc17QO+0I2sZj1C0znQoaGg+XwH2uO3doZ15tH7inbUVHx8ux5xOkEDs5XIL7XaBziWNfgMwKc8OeJkENauIZ9HYkNdQ"
        "1zAZsvMY8B4+cYlwHzafhawLcdFfQA5FHIechHEA1Y90tX3yfduAVeTsGW3Ek1sREc0bbASEwuP/mQEyFwZCDuJOvt8TrXIsLYZFn1o36rkEPE"
        "rvoitiXoJTpUvctRnK9WZYxbPEn0fhvwZcBDxeKaBLOpsqPSmGvWlErGUQs5pXQI6hUYGHdQPdDuadUQeRpUDAg8Id+Yjp5YHThv6Qn3jVvA+T"
        "7m10r5bbqjDPSXoIR/GTnzuol4jL0K7Lr12aywzs4Iu+Z/AT3nQYlxd6k1XtfBbQfstLsz/t9i2m4cXOth/9m1KeQToF/CfmTeEPfWOuZaZDBY"
        "Bk4IdQOm7vGSo8aPQt4FJvSboCFv7/2OWko0EDtyoG5MPu+jRzzj5GlF9ESwBnuHVzV56+EcEpsU+/oe+S7m8SEwt9NWr50Gu/hM2JqjbtaRnF"
        "ZZ1EPICc3orZkiMa7BLrantRbtfcEUqec0E3neAT74zFFxoj4dnruar6OPDfuwGsUewzo6swR2JA+rFbDtoNfnOOefgeft+xylI59PkPdXvBe9"
        "QrT10pvCiWiWqz8W9u224OAm53Jb8sBZShxX1bSjDh4BF8VXZoiGApPPF85qO/cz91XzXMcywlG/XsccuLhuV/Et5Aafay/sK4r5N8P7YAgxh+"
        "Nayg0G4MuG755eR/W7boA7br4fdleAb0mxWf8IYv0hm/xybblfeP1O2LajR3U6N406f0o0rcw6920SfpNxUZzAfVTzf4EvQS/WRSzJ98EJxqG7"
        "527Dni7dPlgP7wIa9jqg45htrZiL8TrRS+3AuQyjRsU4588YBnFGe8JaoDdpakZYz/qo+Xxninv/6zBfjfksvhT2JZ/rKPyC+/nVdrMOe8GbxL"
        "f5Tm2W8eag+zjavKcf5KtadlGjgQ/J0k6boRuCPAm5jmYtFjJ7SrmR0cqApAGZL1TkzsLufCaGSbZUKpQkZdKVNO0ojI2l8xlKrh/cuA66SqEg"
        "sfCMhAV/7yrkR+RT6VIuvX1XtixhKtOlkd1j2XylzL5yZfiWxVJhpJQeQwjsGsXaWHrHaC6fZYtitjSWK5dzhbzMZPO5LCBkgfF46966WU5xfn"
        "3l0XKlVElvp75K9ukK9ZUKIdK+7eUy/f/fktarF229kccwvha5oTdaY1fLDvUgvk9tbHiP/m23gt9YiP7Xe9l8K/9pJxZtWj9+b1feNF98c/8E"
        "VwSd5Q=="
    ),
    "i386": (
        "eNqNVW9oG2UYfy+5xLRLm26rDhXdyShzMNqdTOxmi/vjbVOMVGqnMDdIl9hG1qRc3us2WNorl0DenGGKnSLMT8N+lKGoWcts1mLaOgpdwbk5xH"
        "1I5cpFDBa6tmw9n+fS2qF+8IWX532fv7/nz93bJ712iOM4srYcxEnwNqDynt1AeXeZv5sIIHmWuAhP/tYGHdwFFyG4XcirIWU52n0Mctw2/wOb"
        "hfI3ZmmQ/Mdyl8WE3dUKJa3obTFeBVdsVMypTQ5CnfvMe2Nt7BqbPdpq/GZZ1rCD2OKFLA+HKfXYieMgn33rKBtvze5M8h7wwdqKzG8Y34M6Wz"
        "S+A6LFiw7lsWwjyI0v4D5yH4zFmbkMEF0qZs4saZa7x5uVUCEDCuYWnb86gbe+snkVva5ZXE9+BLO4vEuc2RMvZo5w5yp2xIupiS8584/EjOLO"
        "S/O7TGdKms/4522ANtwhLI64MKVqVpB6NatSqR5BlvntSCWSy9k8RJprt/Hqxw12g92cUs15cbJNW3awWd/ANe1ar/EoyNvESSwFu8nG0vyGdG"
        "1147RSkchR1/6mZuX3puZjoNs4esI3kPN9k3tmYrU2rcPjdmVqdMmjEyYZyRx14/ltnt0yzq9YFjC2qeecVgN1HjH/zLS4+pexLT3VV3oxgUew"
        "6LfM9yDt0bg37d18IJW2LvAes5RXsdvBvMoBCeRVBxCaV53lG4+TMLIdkh2+COiHCPFAIdjiFTSaUtmYtnifFkQIf3brvTvsZztaFoXGdhtVbx"
        "2IHGKOGwdblWTOk8Faz45laL/Tbj/YK7fNO9R97xYbNXP9FmrRJ8SFpEWr1BHr81oPUTaIC6I1jJZm43o+5if9AIkj9IX+FZs2pJ1NIaU5c5Bj"
        "/FUy6PUchuLIDywr846T23Ndnjaf64+XUNWXvA0prbvKvo79ewXcNZ1WfrAdfE0Gec8h8ypW2W+weCnzcsrDpCJMm+5JTtI68c6eX32JHhz2Cb"
        "32M4zH/AXjScCi+wvJnPLRQfMXLW5wfZuTC4pvCAcp24pxmsEGBeNSEYP0VkAMLbfqfBgdYY9L+otQg21sOXsMx3jsgd3k6vLt4n1IY9x0aWO8"
        "+ZMulQwdGDAXcEzXJGZonbrcoDyV3YAJokNxQT9e0v3FKRXrPJcF/j7zx6TlS1wiNhjiS3wKp3Gp4LBnXcylfZkWLjFJt6hLe+mm5hUfIX2eVA"
        "p7y6YPm3ehKtyN/iUL+UcBWUV5khrYNAxZm3GuRveX0t6NqfdrkH3ANG0gNqRh5NhotMV5uklbXKG12mKR+hAcjOlWgFGFv6qXCK06PNcNfVkF"
        "prcVMNtLkO1aKxPPY8WlEvMmMcA+qJwmFfm5VmCDRXc0eFoOd3TSvQLZK0SiVHg3qkSClXAJyXJUFkgwQAPkZLSrKxAJkpb9bx5pBhmNRgVgnB"
        "VAA8+nopEOoScghwPtp0IxAVSFgNyhdIUiNIa+wjHwLXTL0Q450AUhwKoTeF2Bk53hSAg1ukNyVzgWC0cjQjAUCYcAQgBa+SFs6R/7K9ikPtYZ"
        "ozINtJN6GjpDSb0ctZHWt8di5P8vrDe3+p/G92EA6AV+Xb72LmxcPWOV8Te804Uf8vpaM3mc4D+AEPx87XfCXX4n1pbwkF/nQ/b41jxN/h33L2"
        "pVdEY="
    ),
    "ppc64le": (
        "eNqlVm1oW1UYfm/Sj9tuYoQInVV3S/ujqaGbqOzeJm2SbkrabdL58cOBbGmTrRHbbEmmZ929vWmnYEGxw/3Y2HCdH0NRwsQJfiBWpjBRoX4gHc"
        "rIrEpdqwynUpMtx+fcJDMNooIHkveec973eZ/345x7zTs33WWTJCoNG11PYjZP5BBzf3FdrivtizWV7PivoWpLt5qWDUe5zMiFSUkSSVf/a5Zp"
        "S45l8ira1DK7Ld8nwzX030cJjK1o1qvpWPcJW1C3UbfX8XS3+l1NE8OWeoBLS3tsFMTzdtYY1SHUdEOPQVTvVmh8s0QD6kXON1ZAa2n/eiPtbz"
        "EoWK+rNO4X+g4aD3RCSiRrGY61vjoLD+v+TnJFbyeXMXq2+f5TtQO6Qqm7xd6vFdiscbvOmvfr7JYXdHbbh7CfVpH3DTLN+WeoZPfXsDn8Xprs"
        "Vk/YZH2Jn8+xRlN3kLT0GW9auhXYa6lJZbnvTRulwEOah84Ca9yhV8H3CbusT/7lX0pJy/E+q6bga8BhjaN6nvd7ZTagsuZj4PaufgB27NJpcw"
        "LSRj73q4j9D+7TasjVGqYxv9B3Qj+K/TBNe9ZSCj9FQwdpdNGnS1SnPUEpv0S9uyeRH4XGjkiIVaHjquAq+P2WF7Zdbgbs+oKE/rTnTWDmeXdn"
        "y2rX3pdYr9YWfEiXsCaDx0r4vgbySZF/4BFNqWzhBfMC8F4E3qJl2++9Cdw+xfwbzPuW8iZbX2dI4BbGXKGmw0nIevjaVNR/Dvoz5bmqWp4rG7"
        "W4R+FL5P48ciaDq4n5W/kym4p6ba4SfTd3Ic+/9e228mzozzPuIVrnhn0ANV9guTkzeoVv5HybJlGzdsLuMk6Rvzvd0GasoTrRo/5qrJPD1XoU"
        "sQsOtcifsOvMC7sC73TfaiO95UbE2Ascl5tzl7aIHLG5CTOMuJPo6Z9X9RghPEvUc9iOn6iVjeoOV+FZpmkvm3vcPMpT6s3SdvUBcLrMm92scU"
        "T/jo8HiJrdyLcnRYoviLoKHjOEPp7bbzIrb2Kftk/RuM/qgVS/h1JHPSKmXVz0gaINWjVMoW4ZjzN7znT+0mj2nTmns9PVJvtig2lHDc9f5hv3"
        "osdn+VjgMn9vzQx/NiDOXcHfsUI/n+nSD5Lg1OVOWmdT8bCvR0zOpztS9E5Xxv7VyCQd6fJPd+iMUoGW1dkRzlMdMm31sEuzpvPzB81J2ge9gy"
        "N19PYFojvcF63eW4cz/q5nkcaArbmB5ctgXfSH6Nk16JHfrFqpE8KnyIfwS6jTY7zAUdRmUfTEyS59peB4UtMbihil/TbgbLD6pmMiAttW7Les"
        "/mifRFtRm3Oetp77DPbFenNLjm8U95Pzhq3m7Yj7UejOc6HrKupq0L3f+JILva86hM9T0jji/WiEvfL8aFvwGf2OnPBjd2dEDadU3QF70fss97"
        "tZ6PcHFybJ48tzm499vM5cxxoQ19kFkdsW8GeXPjDZabv5U7aAExRrmL+BufOGc6bg+XJW5GSrxhr34ty3PUXFmAQG7jaPlQfk0yGhH09XmWiU"
        "oAzuh+Bf9Pgnok9Rf/bOD6Ns4UVzBfrgLDCt/gL+k8hV/lqXOPuBdM+NBru3xxB5Irp5Ar2scardLXx0UK17FljOe1YZ/NpW96RVR5d1b68Rd/"
        "pV2z/UvjPbDFJ9OsvNm85er2HDuZFxviTrfLTh/PRqXsRQ4sTmHrN4BcDrEs7FWmDmId2Qi5AiV4LvFO3zfoMeSfuzejrwoy7eFScR5zXIA/Ix"
        "IXJzOT8eEPxZ7kfTK2qAumSuiLrVoa4NqOnro4NXyu4VGB/ioewUH8u+xI9nT/L3s2/y89lpLuXO8KbcDA/kZnkol+FjuXl+PHeRv58T7wpxV4"
        "n3ya5Y+NF4dOdgskOhDiUSj8fi4mE4llR2xPYMh+spHEqGaCA2NBQaDlNf4L5gJ/aTsZiChb0K1MXzw7HhncojoXg01P9wJKFAVQnFd+4Zigwn"
        "E/XQjyYAqeyKx3bGQ0NAhtUg1oZCA4PR4YjQ2BWJD0UTiWhsWAlHhqMReBajUy68yoeK0vkv8umipPbEYCIZT4b6qT0ZYUlqj8esSNojg9t2gE"
        "SE2vsTCfq/Y0X5N03Z99N8ca7ULteXK+yvK9rbSvtF/nJRcZb+2X5VhX1GXv79VTmqKubNRUw7VX6PVX6H/b1/qdy2bJT8t/6Nfvn4E6uh+Rg="
    ),
    "riscv64": (
        "eNqtVWtMU1cc/9/ee+5tCzia60Iwc6mykY0tRMHJwqahmW1Rp/G16HQbK6eXUkMftMXJksUWuFQmX8xlK04XERZRkiVzqDdZYuojUh/D4TIl8Y"
        "vOOqcJGWUD8YF25/ahwmT7svPh/t//3zm/e3L+24zvmlQUBemlgr9AsfQpX1k6wCUFSvjeBIZ8WWLRAG6G+Lay8My1dopNPSXRtJEn/R73zX4S"
        "nQSVTU2Wj/0dk+pW/+azTrPFZ65UGWhFvpaKB3p6gpSxONgNtJkDXbTBj1B/WGIHaNqMoDGCAGePq3JP4VmDQBnx7t9BCpZM8EdyQMkU0e0wZW"
        "zwUzp2qODGcGzbg4LmTkFSA6MxBkxegnL9Y2Rp8NfXLrtV0GIQeCRuYEfnxvKHCpu+bxqOhSeWicOxiokWM2ZH1RLXFs814/pxJpH5Ponfl7gy"
        "lqeB5tVl7KsreQ5oyrSbzQHpzp3n8JpR9uWbXZwFkogSGgFkSuLiHRzCuyNINI/IfKgETtikIGf9IbQdE7yxfWZ8KQhHzFHd6H1JfQ3liwEjla"
        "o8HU6gbxyOXf3zkjy7dWEQmerlLu5XsIcPmo8loqiyXzbo2BstZp69xuG2MeDZGEf2O5Jb+/MtuhTBuVjzROfd/aMXhi7fuHLto4nKu1Wjm2PO"
        "oYIWrNWqQJhLzr33lsTFVPUnirlvCPvjcawbV0nce4BshAOt0vlro5JXMWSw8gyzcUT+7Pmz4V52FOg+Fnqb74HI5fn7IBrpftQbPAgSW8bm+Q"
        "fJXso4ic1mu4ieF4hAV4DIBg5qN0hqP82j4/ckxEEJq4bkiXuCUQbFA0vwO4gpeWkOECwoUfuhdm3xjibCbYxeLF4Ri9n2shS3pg4VZgTV7NPK"
        "HntRR5nugNEWMEsaDr4Ip308wdgp47WI3Juetg/DOMhQgeU7zzSaH8RbIsnTjYQDywNLZELI0hr5dR08nMVnrWKlLDfHZ2aC1JoJWLDSPFMAM5"
        "iS13QgZ6pgWVt+q6TNgIcv0IsYwJos9nIwsCJwADeto/CuTRT5P4ne5B9uunik0Uxy9nZTUmgB3Azx3Exoj4qMwmp4AKGCNqMc/UqOS6G34Ho6"
        "mtEvi1l4x2G+FW8WF5NbXfFTp20fV3cJ5+7hV8ii2aDB/WYKt2eAQWghOOgDknN1qZ3XaKBxgQYMm+nDWqB+7BR59LkSO591NqltO1vQlk+w42"
        "cKgvuD5M6oGvs4CPyhKbcft5xCmJ/RQUszonHjgX3aujDe20fYH8jKF8+JPJuR+lsKt/livSxyF2Xc9wguhPL8ETgaRAxtYkBqzoHck9GZffFi"
        "dhDwqip2V+RCSEFKZgVMeOOgSum6clLX/vVYM6a6tx5zY6pD6zEzplJwjMpdhyy5uPkXaDSyUNw8CCu/zIOjILJC+I1yhd1ABDEB82r5pPitHF"
        "XtuS3lvA2XQ3nfdVMocw5z6JjbZf3EY7dV+0r1iXenVC94PC6PPv0eleqdLp++ylXntGoV22rxWRSJXQ6HxWmFVYZ15YsSeT6XS09c9XpSreg1"
        "LqdNv8XisVsqawSvniTrLR5bnUNw+rxakm/3ktZ6t8dl81gcBIFUVROfw4Kr7U5B+xjfLXgcdq/X7nLqrYLTLiT3MYBS7y6blO3o3+UrqTzDGv"
        "Lx2L14C1DlRGWykWfLwgX2Ivf8CkeRe16FRdGqitxFFVblgxXfp3bs9SSVKsGJBXtCdzjqaua75wEUequ9Po/PUgmFPmGrDwo9rgRNhZVeLzEU"
        "sEKLz+exV9b5BC/8LytjykxKz019ipZqZnK+akq9LlWf9m9P8bQ9NRxjU/LVU+zclI/+xzycMgenqX8xWeueeq703J1ufj9t08/g5Xyqft5/1P"
        "8NjCYcgQ=="
    ),
    "s390x": (
        "eNqtVm1sU1UYftt1bdlHuCuMrbDA3bKo42Mr84cyPrZu07BoyAySQJBkHa1bI2tHexGNUyqpCSbGNM3mghgdBHL+yRSjNiF6GfuDQDZjNIw/Em"
        "6Iw9ZQsUQRtuNzTttlm8b4w5vcvufjfZ/3eT/O6T3y1LNPm80mmnvMtAK/cgE/07nVlqywj+ZmT1IBfgvJktMtpHmPaZGEXWyhVPLb1oV2ygI5"
        "94zk5wp5tVvPLbb7D4+SsFADe8C79IzAt9kwd7A6InejQkPkItu7bB2ZWIbft8mH7SFqK1fJKHQRDSYGye1sYRpVOdpZlOxsL3R30Fam8TtOC9"
        "YVvQJetiaiVJaq5pymUjXNX5t2JZZTjW2WPUYE5AcCNzmR7qJaI827+EFwGNNvcc7PMydZMGvFuwWszMJ7ESUnfiWy2Gal3dl0J9Vi/yJsd0vb"
        "U3g/01WU7KFE+R7ztXI0ySaAEaW9qSp+n6bGVouMsXFqlNpJqfMVW0JeVkkuwS61EUm5llBJZ6dpO6tGdBo9E3elmWAmGLnFuAPrkhlbCtsobY"
        "MsguY2YIncXU+WoS9KhZcCs1ENYZG+joGPHf6tkKXI2ThQ/wDbdWwTMtOBN4ua4fckw4+kVR/mvySWkF65DBwF/setClhk+BfwVwR5SmpfwOg2"
        "a0bETjoCtDeSd9L9yNXNiDubZ4nWna1rMph2yTzewV4nP8iSPN0VuUFdIzfsWP3UGBGQiG2Noat2WZX1wn7255QDOZpiFbQqN9oDTuCfMFONjv"
        "Nh3Ze42VnOMlSn64B4E6wMto5zyJ+MxgnODw41uAjR/w77wmxVFGLj/LrgDCRb3hcvadupU+vOFmKb4aOC/6njAFg3iF6Ne12iZ01xj5TmuCZl"
        "gZw7FEtcYDpNKqvjH+hoXavjzA7kXuYX+GbWwB+yKE+zS1nmrJ0eOfMhReBBKX0IDTUxrQwkbusdyGYB5k/kbM3UyGrJyZqFPZVj/jjkKsE9UY"
        "BxBtXNjmWXFf6AuE9ILSc83ezcmLDTRaxdHbtCEVQ8Sh3YvYLu2czeJtJj8H9e7yIqTeiTZC/9PFFNw2C3JfU+7qQpMBlIHpfdJXYZ0E4YCq4T"
        "87kLdBIor7GzyFUtDQP1GObfIqNmwcR0VNbvrvAiogaHyzLat4yqNaIqImNRfjdfBeyfBEcTKhcl29g7cqRRcX5fYu6C1nrpf3DIF0NVqTxZJd"
        "i51ZjJresmo3qSZJ/VCe8zl93xmOjgYbaaDqMH7iUr57QjEWgj8FrZxy+R6dxVqhR9NjaQZcHHkxVSu7/f1HVyktyxmB26R1NVsg/9RMiB6Ldb"
        "QiZXCF1grDU2TuZO4MwJRw1wvsshavwGtI+7R0cVY2RU6MTIXjJj6LFs75eLe0jESdPSekBY0wa58qNc2Y/8j+Xvm5kXMFopustQ0aiD0NZoJT"
        "tOZlnhKJ2GFBUf0VF5yyX0yrAOtyXjYHEhF81FVo8bWqPl6JdigYx3M86VveSTXAeis8Q6dJ1uRRHZ/IatWTqLmltb3RHR3Q6R+VS1yIrhwiEc"
        "NFrwG3OITrWybdSEyKcT06qLNS/lsNsBXmXYKxYnxfK6u8xF8QZFIolYLVqqRWAhVkdKFV2YO+/t4iZET9eyR3GCwFdq75tjvDt3nzXw34DuhJ"
        "yFrIBMQS7LnxFLO8vMnmtrG6HWNiV71jP8GvJWOkS6yJddxCPOD9bfA/omyEj2HusPeg+H/D29WpNKTaovFAqGgNikBoKa+mLwUMBbROT1aB6i"
        "/cG+Pk/AS53u57dvhYYWDKpYeFWFhRgfCAZ61Jc9Ib+n+4AvrEJV9YR6DvX5Alq4CPr+MEDV/lCwJ+TpAzaserHW59nf6w/4hEa/L9TnD4f9wY"
        "Dq9QX8PuE7+z9uS2elXc3Nx/9d2lupPtwb1kKap5vqNd8rGtWHgjKO+u5wmP6Xp3jep4l10XdOTlonF9nY543L5tmbc/y/zE7zkq79i71z3rxg"
        "4feOsuh75x/tTXm7vz/57ytavWhj7lPsL1DF+nQ="
    ),
    "x86_64": (
        "eNqlVV9MW1UYP7fSUgvsdlG3zER3Z5A4TWBNlgVm0V4Dei5pE8zAh+2FslZoAu1sz2WSMFbS1nDb9G1LjFky/PO2l5nMycigdwUKZKikZjIy/y"
        "6bXLxjEM0c27DX79yWDYguJp6Hc+757vf7vt/5ne+cc7ze+aaBYdBaM6DXEJ0pyKHPHQX7oOmhC9iq0RPQG1GR7mtE65tjw/hhAbc2Imt+oDhq"
        "GijYB7Y5NowPm3VgA+7tm8RjQv+9FWDItoileRy5sazUQ2qbHLYXI2LEmqzeGVUWNU3DUq7elk0ZwBdL6UHKjzWONgvSvZRsdCBBWj6ApW9x5J"
        "ZVmQZ3p/SNMgajEFkxiM+kpsFFOQdzfnAekAsnoXMl8T0hcs/UVZqao79Pwm91R0PC/lWLCaYf5NFlZBqcmK4Mf8FDVftiD06ScnaIEtDZnN1j"
        "m6pLNjKumskei2v3ZJ008zmjLkan2LpxYNxfV85iaYY1QhQP2QK9RbTyFyhcHeMvWOh4MXUQMi4cgoy2LGCckoyln7D0HWtUb9uyOJIzsCfSOJ"
        "LuVUp0n3jR9njptupJsSQqk2Kspe21omqvBafqS+wJmT0v75oZ5d8Bcfhmvqn5AE7sTB2CFDh2jRQJiW6z8lEOJI3J5KVwT7FWRZWeVJdwstGI"
        "++7TTelih3qB2kgxVauPblAW16SPbYmXbod0/fHTUAfqYiZM68EzTHt+kJYpnpg4BRQz4Y/B5B5CyIwy4U/gm2TCn1JTJvwZLaG1Vd4GYaRxHF"
        "lZJbfqbTJ/EaEw0JS7K7CUwXd/1FmkaHzFmqfc+wpQicmYxWmBkZ3SdSF5dqCihUa0yc7daae0xBppQDGrXiFmfPcqRFK/FPpWaGiyE/xcsHAr"
        "Hx48DTAkltVT0eUhGkR1PFq22g8YTWMQeV3ou69/7Isb7F6xDiffYBqkovGBikYkaLCKWaXhLyCXbDIwuOb34IS6T+h7QBFs7HsQ5VHM1HWotA"
        "UbKGQ/Kk4U4lwZqIAC1tLqeVeyY87qkkaFxDEQQSMv1NtuuGp+ZqO9EKUhsfcmzaisQq6YLJ4StDH1Fxx5wBx/2hXLiuwILcfUPM0g0K3QLvMX"
        "aejeIlfSbXUlSsv5IRrAlTBQBXY5pUxqiVb+GT0gsSjRVah5RlZNQiRtVmfpIXpvlZ69Uac0GbdGs+Tl8P0qkQPF9EiDr0JG8HJKv4LmutILX9"
        "MTCud2hh+mfCATGz1HbbFrbPQMfOhIfoRCYcPjcJ4w44j+SZ5zhHP7yXZcm2MROm5x9J+l246lSZBYncXJvSW4L6fRfwdp5VryxVcFDrYpXHO5"
        "Zysf3/uko/+cWYdpl9Tf9CJbxtJSnl9k5Q+yA/qc3t8iTwHjVD5HRn2WHy4DRny4GhEzZFxo0W+R21SDbipLYUOjVVCGDZL9h/zmjwqRcfOCE2"
        "z/fL8dCXiOBn1t7WQ/h/Zz/gDh3g2Ifo8FJt5gMBDkkMdN3OhwoLPT7fegRr4J18I/EghwYOjmwIN+dwT8bVyXO+hzt3Z4Qxy4cu5gm9jp9ZMQ"
        "jeULQWzuSDDQFnR3QgpAtYOt03243ef3Uo8j3mCnLxTyBfycx+v3eT0Wnd8dY/4+f9GUH+eMjx/fKvihylB7iASJuxVVEu/7BFUGA/pKKltDIf"
        "T/W8m6Nwite++UwjxdtNGf2YTfWrAZCnO5wF8uPIZXN/lzm+Y7EL26ELyjm94/06Z371/wzDrs+rb2zj6PHs//b8EIeGY="
    ),
}
